package keycloak

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

const (
	// pageSize is how many clients are asked for at once; a representation takes two to four kilobytes.
	pageSize = 500
	// pageLimit bounds the reply of one page, in bytes.
	pageLimit = 32 << 20
	// listTimeout bounds the wait for one page.
	listTimeout = 60 * time.Second
)

// place is where a walk stands. Keycloak counts clients by their order, and the count shifts when somebody adds or deletes
// one; so a page begins with the last client of the page before.
type place struct {
	first int    // how many clients have been passed
	after string // client_id of the last of them
}

func (p place) cursor() string {
	return url.Values{"first": {strconv.Itoa(p.first)}, "after": {p.after}}.Encode()
}

func placeOf(cursor string) (place, bool) {
	if cursor == "" {
		return place{}, true
	}
	query, err := url.ParseQuery(cursor)
	if err != nil {
		return place{}, false
	}
	first, err := strconv.Atoi(query.Get("first"))
	return place{first, query.Get("after")}, err == nil && first > 0 && query.Get("after") != ""
}

var errCursor = errors.New("this is no cursor of a walk through this realm; begin again")

// List implements providers.Lister. The replies hold clear secrets, as every look at a client of Keycloak does; nothing of
// them leaves this package.
func (p *provider) List(ctx context.Context, cursor string) (providers.Page, error) {
	at, ok := placeOf(cursor)
	if !ok {
		return providers.Page{}, &providers.Error{Class: providers.ClassRejected, Provider: p.name, Operation: "list", Err: errCursor}
	}
	rules, err := p.rules(ctx)
	if err != nil {
		return providers.Page{}, asList(err)
	}
	found, next, when, err := p.pages.page(ctx, at)
	if err != nil {
		return providers.Page{}, err
	}
	page := providers.Page{Clients: make([]providers.Listed, 0, len(found)), Time: when}
	for _, r := range found {
		page.Clients = append(page.Clients, r.listed(p.api.realm, rules, when))
	}
	if len(found) > 0 { // an account that may not see every client gets pages that are not full: only an empty one is the last
		page.Next = next.cursor()
	}
	return page, nil
}

// asList makes the error of a request that a walk needs one of the walk.
func asList(err error) error {
	if e, ok := errors.AsType[*providers.Error](err); ok {
		e.Operation = "list"
	}
	return err
}

// page reads the clients after a place. Where the client that the place names stands elsewhere by now, somebody has deleted
// one before it: then the page before is read again, so that none is missed.
func (a api) page(ctx context.Context, at place) (found []representation, next place, when time.Time, err error) {
	from := max(at.first-1, 0)
	found, when, err = a.clients(ctx, from)
	if err == nil && at.first > 0 {
		if i := slices.IndexFunc(found, func(r representation) bool { return r.ClientID == at.after }); i >= 0 {
			next.first = from + len(found)
			found = found[i+1:]
		} else {
			from = max(from-pageSize, 0)
			found, when, err = a.clients(ctx, from)
		}
	}
	if err != nil || len(found) == 0 {
		return nil, place{}, when, err
	}
	if next.first == 0 {
		next.first = from + len(found)
	}
	next.after = found[len(found)-1].ClientID
	return found, next, when, nil
}

func (a api) clients(ctx context.Context, first int) ([]representation, time.Time, error) {
	var found []representation
	resp, err := a.http.Into(ctx, httpapi.Request{
		Operation: "list", Method: http.MethodGet, Path: a.path("clients"),
		Query: url.Values{"first": {strconv.Itoa(first)}, "max": {strconv.Itoa(pageSize)}},
	}, &found)
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil, time.Time{}, resp.Failed(providers.ClassRejected, errNoRealm)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	if found == nil || slices.ContainsFunc(found, func(r representation) bool { return r.ClientID == "" }) {
		return nil, time.Time{}, resp.Missing("clientId")
	}
	return found, resp.Time, nil
}

// Attributes of a client by which people say whose it is. No others are shown: some of Keycloak's own hold private keys.
const (
	attributeOwner = "owner"
	attributeTags  = "tags"
)

func (r representation) listed(realm string, rules rules, at time.Time) providers.Listed {
	c := r.client(at)
	out := providers.Listed{
		Ref: credential.Ref{refClientID: c.clientID}, Name: c.name,
		Owners: words(c.attributes[attributeOwner]), Tags: words(c.attributes[attributeTags]),
	}
	out.Snapshot = providers.Snapshot{ClientID: c.clientID, Time: at}
	if why := c.unusable(); why != nil {
		out.Unusable = why.Error()
		return out
	}
	out.Whole = !rules.ask(conditionRoles) && !c.secret.Empty()
	caps := capabilities(c, rules.cover(c, nil), 0)
	out.Snapshot.Caps, out.Snapshot.Secrets = caps, c.secrets(realm, caps.Mode)
	return out
}

// words splits what an attribute holds: by commas, or by what Keycloak puts between several values.
func words(text string) []string {
	var out []string
	for word := range strings.SplitSeq(strings.ReplaceAll(text, "##", ","), ",") {
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
	}
	return out
}
