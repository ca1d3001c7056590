package years_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// plan says what a fleet is: everything follows from it, so that a run is repeated by repeating its plan.
type plan struct {
	seed    uint64
	clients int
	years   float64
	origin  time.Time
	scan    string // the cron on which every client is looked at
	only    event  // what happens to it, and often; empty = everything, as often as it does
}

// String is the plan as replay takes it.
func (p plan) String() string {
	return fmt.Sprintf("seed=%d;clients=%d;years=%g;from=%s;scan=%s;only=%s",
		p.seed, p.clients, p.years, p.origin.Format(time.DateOnly), p.scan, p.only)
}

// parse reads a plan as String writes it.
func parse(t *testing.T, text string) plan {
	t.Helper()
	p := plan{clients: shares, years: 1, scan: daily, origin: time.Date(2037, 2, 1, 0, 0, 0, 0, time.UTC)}
	for part := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(part, "=")
		var err error
		switch key {
		case "seed":
			p.seed, err = strconv.ParseUint(value, 10, 64)
		case "clients":
			p.clients, err = strconv.Atoi(value)
		case "years":
			p.years, err = strconv.ParseFloat(value, 64)
		case "from":
			p.origin, err = time.Parse(time.DateOnly, value)
		case "scan":
			p.scan = value
		case "only":
			p.only = event(value)
		default:
			t.Fatalf("a plan has no %q", key)
		}
		if err != nil {
			t.Fatalf("reading the %s of a plan: %v", key, err)
		}
	}
	return p
}

// work is about how long the fleet takes to live, in no unit: a client's year without its looks costs as much as 250 of them,
// and a year is followed by the weeks in which everything comes to its end.
func (p plan) work() float64 {
	return float64(p.clients) * (p.years + 0.2) * (250 + year.Hours()/every(p.scan).Hours())
}

func (p plan) length() time.Duration { return time.Duration(p.years * float64(year)) }

// rule is a policy with its window as the judge reads it.
type rule struct {
	credential.Policy
	opening opening
}

// rules are the policies of every fleet, one per window and some without.
func rules() []rule {
	const n = 10
	all := make([]rule, 0, n)
	add := func(o opening, lifetime, before, overlap, announce time.Duration) *rule {
		all = append(all, rule{opening: o, Policy: credential.Policy{
			Name: fmt.Sprintf("policy-%d", len(all)), Start: credential.StartAuto, Lifetime: lifetime * day, RotateBefore: before * day,
			Overlap: overlap * time.Hour, Announce: announce * day, Window: o.spec, WarnWhen: credential.WarnUnlessAutomatic,
			Warn: []credential.Warning{{Before: 30 * day}, {Before: 7 * day, Every: day}},
		}})
		return &all[len(all)-1]
	}
	o := openings()
	add(o[0], 90, 21, 72, 7)
	add(o[1], 60, 14, 48, 3)
	add(o[2], 120, 30, 120, 7).WarnWhen = credential.WarnAlways
	add(o[3], 45, 14, 24, 2)
	add(o[4], 90, 28, 72, 7).Start = credential.StartApprove
	add(o[5], 180, 30, 72, 7)
	add(o[6], 90, 21, 72, 7)
	add(o[7], 75, 21, 36, 5)
	add(o[8], 300, 60, 72, 14) // the window opens every fourth year: every rotation but that one is past its deadline
	add(opening{zone: time.UTC}, 30, 9, 12, 1)
	return all
}

// breed is a way in which a provider behaves, and how many of fifty clients it has.
type breed struct {
	provider string
	caps     credential.Capabilities
	share    int
}

func breeds() []breed {
	const week = 7 * day
	slots := credential.Capabilities{Mode: credential.ModeTwoSlot, Labels: true, StartReadable: true}
	bare := credential.Capabilities{Mode: credential.ModeTwoSlot, StartReadable: true}
	chosen := credential.Capabilities{Mode: credential.ModeCaller, Labels: true, Repeatable: true, StartReadable: true}
	grace := credential.Capabilities{Mode: credential.ModeGraceWindow, Grace: week}
	started, readable := grace, grace
	started.StartReadable = true
	readable.StartReadable, readable.Readable = true, true
	cut := credential.Capabilities{Mode: credential.ModeHardCutover}
	shown := credential.Capabilities{Mode: credential.ModeHardCutover, Readable: true, StartReadable: true}
	return []breed{
		{"corp", slots, 14},
		{"corp", bare, 6},
		{"corp", chosen, 8},
		{"cloud", readable, 8},
		{"cloud", started, 3},
		{"cloud", grace, 2},
		{"legacy", cut, 2},
		{"legacy", shown, 3},
		{"portal", credential.Capabilities{Mode: credential.ModeManual, Instructions: "Make a secret in the portal."}, 4},
	}
}

const shares = 50

// How often every client is looked at.
const (
	hourly = "17 * * * *"
	daily  = "17 3 * * *"
	weekly = "17 3 * * SUN"
)

// every is the time between two looks.
func every(scan string) time.Duration {
	return map[string]time.Duration{hourly: time.Hour, daily: day, weekly: 7 * day}[scan]
}

// member is one client of a fleet: its registration, and how its provider treats it.
type member struct {
	credential.Client
	breed breed
	rule  rule
	life  time.Duration
}

// members draws the clients of a plan.
func (p plan) members() []member {
	chance := rand.New(rand.NewPCG(p.seed, 1))
	all := rules()
	list := make([]member, 0, p.clients)
	for i := range p.clients {
		m := member{breed: breedOf(i % shares), rule: all[chance.IntN(len(all))]}
		id := fmt.Sprintf("client-%04d", i)
		m.Client = credential.Client{
			ID: id, Provider: m.breed.provider, Ref: credential.Ref{"client_id": id}, Owner: fmt.Sprintf("owner-%d", i%len(zones())),
			Policy: m.rule.Name, Vault: credential.VaultPath{Mount: "secret", Path: "apps/" + id},
			AllowCut: m.breed.caps.Mode == credential.ModeHardCutover, Grace: m.breed.caps.Grace,
		}
		if ends := chance.IntN(2) == 0 || m.rule.opening.leapDay; ends && m.breed.caps.StartReadable || m.breed.caps.Mode == credential.ModeManual {
			m.life = m.rule.Lifetime // an expiry that nobody can see could not be kept
		}
		list = append(list, m)
	}
	return list
}

func breedOf(n int) breed {
	for _, s := range breeds() {
		if n -= s.share; n < 0 {
			return s
		}
	}
	panic("the shares of the breeds do not add up")
}

// zones are where owners read their mail.
func zones() []string {
	return []string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "Pacific/Apia",
		"Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns", "UTC",
	}
}
