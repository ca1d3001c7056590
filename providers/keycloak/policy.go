package keycloak

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// coverage says whether a POST keeps the old secret for a while, and how that is known.
type coverage struct {
	covered bool
	grace   time.Duration // life of the old secret; 0 = not known
	reason  string        // for people
}

// executor is the name of the executor that keeps old secrets.
const executor = "secret-rotation"

// defaultGrace is what Keycloak takes where the profile names no rotated-expiration-period.
const defaultGrace = 48 * time.Hour

type policies struct {
	Policies []policy `json:"policies"`
}

type policy struct {
	Name       string      `json:"name"`
	Enabled    bool        `json:"enabled"`
	Conditions []condition `json:"conditions"`
	Profiles   []string    `json:"profiles"`
}

type condition struct {
	Name          string         `json:"condition"`
	Configuration map[string]any `json:"configuration"`
}

type profiles struct {
	Profiles []profile `json:"profiles"`
}

type profile struct {
	Name      string `json:"name"`
	Executors []struct {
		Name          string         `json:"executor"`
		Configuration map[string]any `json:"configuration"`
	} `json:"executors"`
}

// coverage finds out what a POST would do to the old secret: from the policies where they may be read, else from the
// dates that a policy leaves on the clients it covers.
func (p *provider) coverage(ctx context.Context, c client) (coverage, error) {
	found, err := p.rules(ctx)
	if err != nil {
		return coverage{}, err
	}
	var roles []string
	if found.ask(conditionRoles) {
		if roles, err = p.api.roles(ctx, c.uuid); err != nil {
			return coverage{}, err
		}
	}
	return found.cover(c, roles), nil
}

// conditionRoles is the one condition that asks for more than a client's own representation.
const conditionRoles = "client-roles"

// rules are the client policies of a realm that have to do with old secrets.
type rules struct {
	policies

	hidden   bool // they may not be read
	none     bool // this server has no such thing
	rotating map[string]time.Duration
}

// rules reads the policies of the realm: two requests, whatever the number of clients that are judged by them.
func (p *provider) rules(ctx context.Context) (r rules, err error) {
	var kept profiles
	if err = p.api.policies(ctx, "policies", &r.policies); err == nil {
		err = p.api.policies(ctx, "profiles", &kept)
	}
	switch providers.ClassOf(err) {
	case "":
	case providers.ClassAuth:
		return rules{hidden: true}, nil
	case providers.ClassNotFound, providers.ClassUnsupported:
		return rules{none: true}, nil
	default:
		return rules{}, err
	}
	r.rotating = kept.grace()
	r.keep(r.rotating)
	return r, nil
}

// cover says whether one of the policies covers a client. roles are those that the client defines.
func (r rules) cover(c client, roles []string) coverage {
	switch {
	case r.hidden:
		return guess(c)
	case r.none:
		return coverage{reason: "this server has no client policies, so it keeps no old secret"}
	}
	return decide(r.policies, r.rotating, c, roles)
}

func (a api) policies(ctx context.Context, what string, out any) error {
	_, err := a.http.Into(ctx, httpapi.Request{
		Operation: "inspect", Method: http.MethodGet, Path: a.path("client-policies", what),
	}, out)
	return err
}

// roles returns the names of the roles that a client defines.
func (a api) roles(ctx context.Context, uuid string) ([]string, error) {
	var list []struct {
		Name string `json:"name"`
	}
	_, err := a.http.Into(ctx, httpapi.Request{
		Operation: "inspect", Method: http.MethodGet, Path: a.path("clients", uuid, "roles"),
	}, &list)
	names := make([]string, 0, len(list))
	for _, role := range list {
		names = append(names, role.Name)
	}
	return names, err
}

// guess concludes from the client alone. Only the executor sets the expiry, so a client that has one is, or was,
// covered.
func guess(c client) coverage {
	if c.expires.IsZero() {
		return coverage{reason: "client policies may not be read (role view-realm), and the client shows no sign of one"}
	}
	return coverage{covered: true, reason: "client policies may not be read (role view-realm), " +
		"but the client carries the expiry that only the executor " + executor + " sets"}
}

// grace returns the profiles that keep old secrets, with how long. A profile that keeps them for no time at all is in
// the map with 0.
func (p profiles) grace() map[string]time.Duration {
	found := map[string]time.Duration{}
	for _, one := range p.Profiles {
		for _, e := range one.Executors {
			if e.Name != executor {
				continue
			}
			found[one.Name] = defaultGrace
			if value, ok := e.Configuration["rotated-expiration-period"]; ok {
				found[one.Name] = seconds(value)
			}
		}
	}
	return found
}

// seconds reads a number that the admin console may have stored as text.
func seconds(value any) time.Duration {
	var n float64
	switch v := value.(type) {
	case float64:
		n = v
	case string:
		n, _ = strconv.ParseFloat(strings.TrimSpace(v), 64) // no number: 0, so nothing is promised
	}
	if n <= 0 || n > 100*365*24*3600 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// keep drops the policies that have nothing to do with old secrets.
func (p *policies) keep(rotating map[string]time.Duration) {
	p.Policies = slices.DeleteFunc(p.Policies, func(one policy) bool {
		return !one.Enabled || !slices.ContainsFunc(one.Profiles, func(name string) bool {
			_, ok := rotating[name]
			return ok
		})
	})
}

func (p *policies) ask(name string) bool {
	return slices.ContainsFunc(p.Policies, func(one policy) bool {
		return slices.ContainsFunc(one.Conditions, func(c condition) bool { return c.Name == name })
	})
}

// decide says whether one of the policies covers the client. Where several do, the shortest grace counts.
func decide(rules policies, rotating map[string]time.Duration, c client, roles []string) coverage {
	out := coverage{reason: "no enabled client policy with the executor " + executor + " covers this client"}
	var unsure []string
	for _, one := range rules.Policies {
		switch vote, unknown := one.votes(c, roles); {
		case unknown != "":
			unsure = append(unsure, fmt.Sprintf("%q has the condition %q", one.Name, unknown))
		case vote == yes:
			grace := one.shortest(rotating)
			if !out.covered || grace < out.grace {
				out = coverage{covered: true, grace: grace, reason: fmt.Sprintf("client policy %q covers it", one.Name)}
			}
		}
	}
	switch {
	case out.covered && out.grace == 0:
		return coverage{reason: out.reason + ", but with a rotated-expiration-period of 0 it keeps no old secret"}
	case !out.covered && len(unsure) > 0:
		out.reason = "whether a client policy covers it is not certain: " + strings.Join(unsure, ", ") +
			"; taken as not covered"
	}
	return out
}

func (p policy) shortest(rotating map[string]time.Duration) time.Duration {
	least := time.Duration(-1)
	for _, name := range p.Profiles {
		if grace, ok := rotating[name]; ok && (least < 0 || grace < least) {
			least = grace
		}
	}
	return max(least, 0)
}

// vote is what a condition says about a client.
type vote int

const (
	no vote = iota
	yes
	unknownVote
)

// votes says whether a policy applies: it has conditions, and all say yes. One certain no decides, whatever cannot be
// judged. Unknown names the first condition that would have to be.
func (p policy) votes(c client, roles []string) (v vote, unknown string) {
	if len(p.Conditions) == 0 {
		return no, ""
	}
	for _, one := range p.Conditions {
		switch one.vote(c, roles) {
		case no:
			return no, ""
		case unknownVote:
			if unknown == "" {
				unknown = one.Name
			}
		case yes:
		}
	}
	return yes, unknown
}

// vote judges one condition for the event of replacing a secret, as measured against version 26.5. Conditions that
// depend on who asks, or that do not apply to this event, are not judged.
func (c condition) vote(of client, roles []string) vote {
	v := c.plainVote(of, roles)
	if v == unknownVote || !c.flag("is-negative-logic") {
		return v
	}
	return yes - v
}

func (c condition) plainVote(of client, roles []string) vote {
	switch c.Name {
	case "any-client":
		return yes
	case "client-access-type":
		return voteIf(slices.Contains(c.list("type"), "confidential")) // others have been refused before
	case "client-type":
		protocol, _ := c.Configuration["protocol"].(string)
		return voteIf(protocol == of.protocol)
	case "client-roles":
		return voteIf(slices.ContainsFunc(c.list("roles"), func(r string) bool { return slices.Contains(roles, r) }))
	case "client-attributes":
		return c.attributes(of)
	default:
		return unknownVote
	}
}

func voteIf(b bool) vote {
	if b {
		return yes
	}
	return no
}

func (c condition) flag(name string) bool {
	switch v := c.Configuration[name].(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	default:
		return false
	}
}

func (c condition) list(name string) []string {
	var out []string
	switch v := c.Configuration[name].(type) {
	case []any:
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
	case string:
		out = append(out, v)
	}
	return out
}

// attributes compares the attributes that a condition lists, as JSON in a string, with the client's. Keycloak shows
// realm_client on every client but does not keep it as an attribute, and a name listed twice never matches.
func (c condition) attributes(of client) vote {
	text, ok := c.Configuration["attributes"].(string)
	if !ok {
		return no
	}
	var pairs []struct{ Key, Value string }
	if json.Unmarshal([]byte(text), &pairs) != nil {
		return unknownVote
	}
	seen := map[string]bool{}
	for _, pair := range pairs {
		if pair.Key == "realm_client" || strings.HasPrefix(pair.Key, attributePrefix) {
			return unknownVote
		}
		value, has := of.attributes[pair.Key]
		if !has || value != pair.Value || seen[pair.Key] {
			return no
		}
		seen[pair.Key] = true
	}
	return yes
}
