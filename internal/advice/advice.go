package advice

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Enough is how many rotations of a consumer have to be known before anything is recommended by it.
const Enough = 3

// Seconds is a duration that is written as a whole number of seconds.
type Seconds time.Duration

// MarshalJSON writes the number of seconds.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(int64(time.Duration(s) / time.Second))
}

// Spread is how long old secrets went on being used after the new ones were published.
type Spread struct {
	Rotations int     `json:"rotations"` // that are known; where it is 0 the others are too
	P50       Seconds `json:"p50_seconds"`
	P95       Seconds `json:"p95_seconds"`
}

// Consumer is the spread of one consumer.
type Consumer struct {
	Name string `json:"consumer"` // empty = whoever uses the secret, as the provider saw it
	Spread
	// Outlasted counts the rotations in which it needed the old secret longer than the overlap of today.
	Outlasted int `json:"longer_than_overlap"`
}

// Client is what is known of the overlaps of one client.
type Client struct {
	ID          string     `json:"client"`
	Policy      string     `json:"policy"`
	Consumers   []Consumer `json:"consumers"`
	Overlap     Seconds    `json:"overlap_seconds"`             // of its policy
	Recommended Seconds    `json:"recommended_overlap_seconds"` // 0 = not enough is known
}

// Policy is what is known of the overlaps of all clients of one policy.
type Policy struct {
	Name    string `json:"policy"`
	Clients int    `json:"clients"` // of which enough is known
	Spread
	Overlap     Seconds `json:"overlap_seconds"`
	Recommended Seconds `json:"recommended_overlap_seconds"` // 0 = not enough is known
	Slowest     string  `json:"slowest_client,omitempty"`    // that asks for the recommended one
}

// Report is all advice.
type Report struct {
	Clients  []Client `json:"clients"`
	Policies []Policy `json:"policies"`
	Secrets  Secrets  `json:"secrets"`
}

// Fleet takes in records, one by one. Use NewFleet.
type Fleet struct {
	policy func(name string) (credential.Policy, bool)
	kind   func(provider string) (Kind, bool)

	clients  []Client
	policies map[string]*pool
	secrets  Secrets
	movable  map[string]*Movable // by kind and method
}

// pool is what the clients of one policy have in common. Times are counted by the hour, so that it stays small.
type pool struct {
	Policy

	hours map[int]int
}

// NewFleet returns a fleet without clients. Policy and kind tell what the configuration says of a name; false = nothing.
func NewFleet(policy func(name string) (credential.Policy, bool), kind func(provider string) (Kind, bool)) *Fleet {
	return &Fleet{policy: policy, kind: kind, clients: []Client{}, policies: map[string]*pool{}, movable: map[string]*Movable{}}
}

// Add takes in one record. One that has left its source counts for nothing.
func (f *Fleet) Add(rec *credential.Record) {
	if rec.Leaving {
		return
	}
	f.count(rec)
	if len(rec.Habits) == 0 {
		return
	}
	name := rec.Client.Policy
	policy, known := f.policy(name)
	if !known {
		policy = credential.Policy{}
	}
	c := Client{ID: rec.Client.ID, Policy: name, Overlap: Seconds(policy.Overlap)}
	p := f.policies[name]
	if p == nil {
		p = &pool{Policy: Policy{Name: name, Overlap: Seconds(policy.Overlap)}, hours: map[int]int{}}
		f.policies[name] = p
	}
	longest := time.Duration(-1)
	for _, h := range rec.Habits {
		of := consumer(h, policy.Overlap, known)
		c.Consumers = append(c.Consumers, of)
		if of.Rotations < Enough {
			continue
		}
		longest = max(longest, time.Duration(of.P95))
		for _, lasted := range h.Lasted {
			p.hours[int(roundUp(lasted, time.Hour)/time.Hour)]++
		}
	}
	if longest >= 0 {
		c.Recommended = Seconds(roomy(longest))
		p.take(c)
	}
	slices.SortFunc(c.Consumers, func(a, b Consumer) int { return cmp.Or(cmp.Compare(b.P95, a.P95), strings.Compare(a.Name, b.Name)) })
	f.clients = append(f.clients, c)
}

func (p *pool) take(c Client) {
	p.Clients++
	if c.Recommended > p.Recommended {
		p.Recommended, p.Slowest = c.Recommended, c.ID
	}
}

func consumer(h credential.Habit, overlap time.Duration, known bool) Consumer {
	sorted := slices.Sorted(slices.Values(h.Lasted))
	c := Consumer{Name: h.Consumer, Spread: Spread{
		Rotations: len(sorted), P50: Seconds(rank(sorted, 50)), P95: Seconds(rank(sorted, 95)),
	}}
	for _, lasted := range sorted {
		if known && lasted > overlap {
			c.Outlasted++
		}
	}
	return c
}

// rank is the nearest-rank percentile of sorted durations: one that occurred, so that few of them are never made better than they
// were. 0 of none.
func rank(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}

// roomy is the overlap that a longest use asks for: a quarter more, in whole hours, from two days on in whole days, and never less
// than an hour.
func roomy(longest time.Duration) time.Duration {
	const day = 24 * time.Hour
	room := roundUp(longest+longest/4, time.Hour)
	if room > 2*day {
		room = roundUp(room, day)
	}
	return max(room, time.Hour)
}

func roundUp(d, unit time.Duration) time.Duration { return (d + unit - 1) / unit * unit }

// Report returns the advice about all that was taken in: clients by their ids, policies by their names.
func (f *Fleet) Report() Report {
	r := Report{Clients: f.clients, Policies: []Policy{}, Secrets: f.secrets}
	slices.SortFunc(r.Clients, func(a, b Client) int { return strings.Compare(a.ID, b.ID) })
	for _, name := range slices.Sorted(maps.Keys(f.policies)) {
		r.Policies = append(r.Policies, f.policies[name].summed())
	}
	r.Secrets.Movable = []Movable{}
	for _, key := range slices.Sorted(maps.Keys(f.movable)) {
		r.Secrets.Movable = append(r.Secrets.Movable, *f.movable[key])
	}
	return r
}

// summed returns the policy with the percentiles of what was counted, in whole hours.
func (p *pool) summed() Policy {
	total := 0
	for _, n := range p.hours {
		total += n
	}
	p.Rotations = total
	seen, order := 0, slices.Sorted(maps.Keys(p.hours))
	for _, hours := range order {
		before := seen
		seen += p.hours[hours]
		for _, at := range []struct {
			percent int
			into    *Seconds
		}{{50, &p.P50}, {95, &p.P95}} {
			if wanted := (total*at.percent + 99) / 100; before < wanted && wanted <= seen {
				*at.into = Seconds(time.Duration(hours) * time.Hour)
			}
		}
	}
	return p.Policy
}

// Kind is what the adapter behind a provider is.
type Kind struct {
	Name    string // for people: "keycloak", "http/okta"
	Keys    bool   // it rotates key pairs and nothing else
	Own     bool   // what it rotates is known to no provider
	Instead []providers.Instead
}

// Secrets counts what the fleet's clients log in with.
type Secrets struct {
	Shared   int       `json:"shared"`    // secrets that both sides know
	KeyPairs int       `json:"key_pairs"` // private_key_jwt: the provider has the public half only
	Own      int       `json:"own"`       // values that rotad makes and no provider knows, such as salts
	Unknown  int       `json:"unknown"`   // clients whose provider the configuration does not have
	Movable  []Movable `json:"movable"`   // shared ones that could be done without
}

// Movable are clients with a shared secret whose server takes something else instead.
type Movable struct {
	Kind    string   `json:"kind"`
	Method  string   `json:"method"`
	How     string   `json:"how"`
	Clients int      `json:"clients"`
	Some    []string `json:"some"` // ids of at most MaxNamed of them
}

// MaxNamed is how many clients a Movable names; the others are counted.
const MaxNamed = 10

func (f *Fleet) count(rec *credential.Record) {
	kind, known := f.kind(rec.Client.Provider)
	switch {
	case !known:
		f.secrets.Unknown++
		return
	case kind.Keys, rec.Mode() == credential.ModeKeySet:
		f.secrets.KeyPairs++
		return
	case kind.Own:
		f.secrets.Own++
		return
	}
	f.secrets.Shared++
	for _, way := range kind.Instead {
		key := kind.Name + "\x00" + way.Method
		m := f.movable[key]
		if m == nil {
			m = &Movable{Kind: kind.Name, Method: way.Method, How: way.How, Some: []string{}}
			f.movable[key] = m
		}
		if m.Clients++; len(m.Some) < MaxNamed {
			m.Some = append(m.Some, rec.Client.ID)
		}
	}
}
