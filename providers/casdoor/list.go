package casdoor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

const (
	listPath = "/api/get-applications"
	// pageSize is how many applications are asked for at once; one takes two to ten kilobytes.
	pageSize = 100
	// pageLimit bounds the reply of one page, in bytes: an application may bring pages of HTML of its own.
	pageLimit = 32 << 20
	// listTimeout bounds the wait for one page.
	listTimeout = 60 * time.Second
)

// place is where a walk stands. Casdoor numbers its pages, and what stands on one shifts when somebody adds or deletes an application
// before it; so the last application of the pages that have passed is kept, and has to stand where it stood.
type place struct {
	page  int    // number of the next page, from 1
	after string // owner/name of the last application before it; empty = none was met
}

func (p place) cursor() string {
	return url.Values{"page": {strconv.Itoa(p.page)}, "after": {p.after}}.Encode()
}

func placeOf(cursor string) (place, bool) {
	if cursor == "" {
		return place{page: 1}, true
	}
	query, err := url.ParseQuery(cursor)
	if err != nil {
		return place{}, false
	}
	page, err := strconv.Atoi(query.Get("page"))
	return place{page, query.Get("after")}, err == nil && page > 1 && query.Get("after") != ""
}

var errCursor = errors.New("this is no cursor of a walk through this Casdoor; begin again")

// List implements providers.Lister. The replies hold clear secrets, as every look at an application of Casdoor does; nothing of them
// leaves this package.
func (p *provider) List(ctx context.Context, cursor string) (providers.Page, error) {
	at, ok := placeOf(cursor)
	if !ok {
		return providers.Page{}, p.pages.fault("list", providers.ClassRejected, errCursor)
	}
	got, err := p.pages.walk(ctx, at)
	if err != nil {
		return providers.Page{}, err
	}
	page := providers.Page{Clients: make([]providers.Listed, 0, len(got.applications)), Time: got.time}
	for _, one := range got.applications {
		page.Clients = append(page.Clients, one.listed(got.time))
	}
	if got.last != "" && got.page*pageSize < got.total {
		page.Next = place{got.page + 1, got.last}.cursor()
	}
	return page, nil
}

// page is one page as it was shown.
type page struct {
	page, total  int
	applications []listed
	last         string // owner/name of the last application of the whole page; empty = the page is empty
	time         time.Time
}

// walk reads the page at a place. Where the application that the place names stands elsewhere by now, somebody has deleted or added one
// before it: then the pages before are read again, back to the one that has it, so that none is missed.
func (a api) walk(ctx context.Context, at place) (page, error) {
	got, err := a.list(ctx, "list", at.page, pageSize)
	if err != nil || at.page == 1 {
		return got, err
	}
	before, err := a.list(ctx, "list", (at.page-1)*pageSize, 1)
	if err != nil || before.last == at.after {
		return got, err
	}
	for number := at.page - 1; number >= 1; number-- {
		if got, err = a.list(ctx, "list", number, pageSize); err != nil {
			return page{}, err
		}
		if i := slices.IndexFunc(got.applications, func(one listed) bool { return one.id == at.after }); i >= 0 {
			got.applications = got.applications[i+1:]
			break
		}
	}
	return got, nil
}

// listed is an application in a page.
type listed struct {
	application

	name, organization string
	created            time.Time
	unusable           error // why no secret of it can be rotated; nil = it can
}

// list reads the page of a number, in the order of names: Casdoor's own order, by the time of making, leaves those of one second as they
// come.
func (a api) list(ctx context.Context, operation string, number, size int) (page, error) {
	var e struct {
		envelope

		Total int `json:"data2"`
	}
	resp, err := a.client.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: listPath, Header: inEnglish(),
		Query: url.Values{
			"p": {strconv.Itoa(number)}, "pageSize": {strconv.Itoa(size)}, "sortField": {"name"}, "sortOrder": {"ascend"},
		},
	}, &e)
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound:
		return page{}, resp.Failed(providers.ClassRejected, errAddress)
	case err != nil:
		return page{}, err
	case e.Status == "error":
		return page{}, resp.Failed(classOf(e.Message), errRefused)
	}
	var entries []json.RawMessage
	if e.Status != "ok" || json.Unmarshal(e.Data, &entries) != nil || entries == nil {
		return page{}, resp.Missing("a list of applications")
	}
	got := page{page: number, total: e.Total, time: resp.Time}
	for _, raw := range entries {
		one, err := entry(raw)
		if err != nil {
			return page{}, resp.Failed(classOfDecode(err), err)
		}
		got.applications, got.last = append(got.applications, one), one.id
	}
	return got, nil
}

var errAddress = errors.New("there is no such address: is url that of Casdoor, without /api?")

// entry reads one application of a list.
func entry(raw json.RawMessage) (listed, error) {
	var named struct {
		Owner        string `json:"owner"`
		Name         string `json:"name"`
		ClientID     string `json:"clientId"`
		Display      string `json:"displayName"`
		Organization string `json:"organization"`
		Created      string `json:"createdTime"`
	}
	if httpapi.Unmarshal(credential.NewSensitive(string(raw)), &named) != nil || named.Owner == "" || named.Name == "" {
		return listed{}, errOther
	}
	out := listed{name: named.Display, organization: named.Organization}
	if at, err := time.Parse(time.RFC3339, named.Created); err == nil {
		out.created = at.UTC()
	}
	found, err := decode(raw, named.Owner, named.Name)
	switch {
	case errors.Is(err, errNoSecret):
		out.unusable = err
	case err != nil:
		return listed{}, err
	}
	out.application = application{id: named.Owner + "/" + named.Name, clientID: named.ClientID, secret: found.secret}
	return out, nil
}

// listed is an application for people. It has an organization, and nobody by name.
func (l listed) listed(at time.Time) providers.Listed {
	out := providers.Listed{
		Ref: credential.Ref{refApplication: l.id}, Name: l.name, Created: l.created,
		Snapshot: providers.Snapshot{ClientID: l.clientID, Time: at},
	}
	if l.organization != "" {
		out.Owners = []string{l.organization}
	}
	if l.unusable != nil {
		out.Unusable = l.unusable.Error()
		return out
	}
	out.Whole, out.Snapshot.Caps, out.Snapshot.Secrets = true, capabilities(), []credential.Secret{l.issued().Secret}
	return out
}
