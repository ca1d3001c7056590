package http

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

const (
	// pageLimit bounds the reply of one page of a walk, in bytes.
	pageLimit = 32 << 20
	// listTimeout bounds the wait for one page.
	listTimeout = 60 * time.Second
	// maxEntries bounds a page of a walk, all the more where each entry is asked for.
	maxEntries = 2000
)

// listing is the request that lists clients, and where its answer says what.
type listing struct {
	call *call // nil = clients cannot be listed

	entries, where, next, total                    place
	id, clientID, parent, name, owner, tags, start place

	link    string // parameter of the next address in the header Link; empty = there is none
	counted bool   // pages are counted by rotad
	first   int    // number of the first page, or offset of the first entry
	size    int    // entries of a page, where the description states it
	alike   bool   // an entry is what inspect is answered with
	inside  string // member of that answer that holds it; empty = it is the answer
}

// listing compiles the request that lists clients.
func (c *compiler) listing(s *Listing) listing {
	if s == nil || s.Path == "" {
		return listing{}
	}
	l := listing{
		call:    c.call("list", s.Call, "GET", listNames...),
		entries: c.place("list.clients", s.Clients), where: c.place("list.where", s.Where), next: c.place("list.next", s.Next), total: c.place("list.total", s.Total),
		id: c.place("list.id", s.ID), clientID: c.place("list.client_id", s.ClientID), parent: c.place("list.parent", s.Parent),
		name: c.place("list.name", s.Name), owner: c.place("list.owner", s.Owner), tags: c.place("list.tags", s.Tags),
		start: c.place("list.created", s.Created), link: s.Link, size: s.Size, first: 1, alike: s.Alike, inside: s.Inside,
	}
	if s.Zero {
		l.first = 0
	}
	l.counted = l.call.asks("number", "offset")
	for _, n := range slices.Concat(l.needs(), l.needsOfPages()) {
		if n.missing {
			c.report(n.at, n.what, n.hint)
		}
	}
	return l
}

func (l listing) needs() []need {
	return []need{
		{l.entries == nil, "list.clients", "is required", "where in the answer does the list of clients stand? $ = it is the answer"},
		{l.id == nil && l.clientID == nil, "list.client_id", "is required, or id", "a client that is found is named by its ref"},
		{l.inside != "" && !l.alike, "list.inside", "means nothing without alike: true", ""},
	}
}

func (l listing) needsOfPages() []need {
	return []need{
		{(l.next != nil || l.link != "") != l.call.asks("page"), "list.next", "goes together with {page}", "next or link says what {page} stands for"},
		{l.next != nil && l.link != "", "list.link", "there is next as well", "keep one of the two"},
		{l.counted && l.call.asks("page"), "list", "counts pages, and has {page} as well", "keep {number} or {offset}, or {page}"},
		{l.call.asks("number") && l.call.asks("offset"), "list", "has {number} and {offset}", "keep one of the two"},
		{l.total != nil && !l.counted, "list.total", "is of no use without {number} or {offset}", ""},
		{(l.total != nil || l.call.asks("offset", "size")) && l.size < 1, "list.size", "is required beside {offset}, {size} and total", "how many clients are on a page?"},
	}
}

// spot is where a walk stands. Where rotad counts, what stands on a page shifts when somebody adds or deletes a client before it; so the last
// client of the page before is kept, and has to stand where it stood.
type spot struct {
	page  string // the server's name of the next page
	count int    // pages that have passed, where rotad counts them
	after string // the last client of those
}

func (s spot) cursor() string {
	if s.page != "" {
		return url.Values{"page": {s.page}}.Encode()
	}
	return url.Values{"count": {strconv.Itoa(s.count)}, "after": {s.after}}.Encode()
}

func (l listing) spotOf(cursor string) (spot, bool) {
	query, err := url.ParseQuery(cursor)
	switch {
	case err != nil:
		return spot{}, false
	case cursor == "":
		return spot{}, true
	case !l.counted:
		return spot{page: query.Get("page")}, len(query) == 1 && query.Get("page") != ""
	}
	count, err := strconv.Atoi(query.Get("count"))
	return spot{count: count, after: query.Get("after")}, err == nil && len(query) == 2 && count > 0 && query.Get("after") != ""
}

// CanList says whether the description names a request that lists clients.
func (p *provider) CanList() bool { return p.listing.call != nil }

var (
	errCursor    = errors.New("this is no cursor of a walk through this API; begin again")
	errNoListing = errors.New("the description does not say under list: how clients are listed")
	errShort     = errors.New("the API gives fewer clients on a page than list.size says, so that some would be passed over: write what it gives")
	errNoPlace   = errors.New("there is no list where list.clients looks for it")
	errNoName    = errors.New("an entry of the list has neither an id nor a client_id where list looks for them")
	errCrowd     = errors.New("the page has more clients than anybody's page")
	errMissing   = errors.New("the API does not know the address that lists clients, or says so")
)

// List implements providers.Lister. Where an entry does not tell of the client's secrets, the client is asked for.
func (p *provider) List(ctx context.Context, cursor string) (providers.Page, error) {
	at, ok := p.listing.spotOf(cursor)
	switch {
	case !p.CanList():
		return providers.Page{}, p.fault("list", providers.ClassUnsupported, errNoListing)
	case !ok:
		return providers.Page{}, p.fault("list", providers.ClassRejected, errCursor)
	}
	got, err := p.walk(ctx, at)
	if err != nil {
		return providers.Page{}, err
	}
	page := providers.Page{Time: got.time, Requests: got.requests, Clients: make([]providers.Listed, 0, len(got.entries))}
	if got.next != (spot{}) {
		page.Next = got.next.cursor()
	}
	for _, e := range got.entries {
		listed, asked, err := p.listed(ctx, e, got.time)
		page.Requests += asked
		switch {
		case providers.ClassOf(err) == providers.ClassNotFound: // it went meanwhile, or has nothing to rotate
			continue
		case err != nil:
			return providers.Page{}, err
		}
		page.Clients = append(page.Clients, listed)
	}
	return page, nil
}

// sheet is one page as it was shown.
type sheet struct {
	entries  []document
	size     int    // of the whole page, before where
	last     string // the last client of the whole page; empty = the page is empty
	next     spot   // the zero value = there is none
	requests int
	time     time.Time
}

// walk reads the page at a spot. Where rotad counts, the page before is read as well: if the last client that has passed does not stand at its
// end any more, the pages before are read back to the one that has it, so that none is missed.
func (p *provider) walk(ctx context.Context, at spot) (sheet, error) {
	got, err := p.sheet(ctx, at)
	if err != nil || at.after == "" {
		return got, err
	}
	requests := got.requests
	for count := at.count - 1; count >= 0; count-- {
		before, err := p.sheet(ctx, spot{count: count})
		if err != nil {
			return sheet{}, err
		}
		if p.listing.call.asks("offset") && before.size < p.listing.size && got.size > 0 {
			return sheet{}, p.fault("list", providers.ClassRejected, errShort)
		}
		if requests++; count == at.count-1 && before.last == at.after {
			break
		}
		got = before
		if i := slices.IndexFunc(got.entries, func(d document) bool { return p.listing.named(d) == at.after }); i >= 0 {
			got.entries = got.entries[i+1:]
			break
		}
	}
	got.requests = requests
	return got, nil
}

// sheet asks for one page.
func (p *provider) sheet(ctx context.Context, at spot) (sheet, error) {
	l := p.listing
	v := values{
		"page": at.page, "number": strconv.Itoa(l.first + at.count), "offset": strconv.Itoa(l.first + at.count*l.size), "size": strconv.Itoa(l.size),
	}
	resp, err := p.sendBy(ctx, p.pages, "list", l.call, v)
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound:
		return sheet{}, resp.Failed(providers.ClassRejected, errMissing)
	case err != nil:
		return sheet{}, err
	}
	d, err := read(resp)
	if err != nil {
		return sheet{}, err
	}
	list, found := l.entries.entries(d)
	all, counted := l.all(d)
	switch {
	case !found && (!counted || all > at.count*l.size):
		return sheet{}, resp.Failed(providers.ClassUnavailable, errNoPlace)
	case len(list) > maxEntries:
		return sheet{}, resp.Failed(providers.ClassUnavailable, errCrowd)
	}
	got := sheet{requests: 1, time: resp.Time, size: len(list)}
	if len(list) > 0 {
		got.last = l.named(document{list[len(list)-1]})
	}
	got.next = l.following(d, resp, at, got.last)
	if l.where != nil {
		list = l.where.all(document{list})
	}
	for _, entry := range list {
		if l.named(document{entry}) == "" {
			return sheet{}, resp.Failed(providers.ClassUnavailable, errNoName)
		}
		got.entries = append(got.entries, document{entry})
	}
	return got, nil
}

// named is what a client of a list is called: its id, else its client_id. A name that no cursor can tell from none is none.
func (l listing) named(d document) string {
	if id := l.id.text(d); id != "" {
		return id
	}
	return l.clientID.text(d)
}

// following is the spot of the next page. Where rotad counts, an empty page is the last one.
func (l listing) following(d document, resp *httpapi.Response, at spot, last string) spot {
	switch {
	case l.counted && last == "":
		return spot{}
	case l.counted && l.total != nil:
		if all, known := l.all(d); known && all <= (at.count+1)*l.size {
			return spot{}
		}
		return spot{count: at.count + 1, after: last}
	case l.counted:
		return spot{count: at.count + 1, after: last}
	case l.link != "":
		return spot{page: linked(resp.Header.Values("Link"), l.link)}
	}
	return spot{page: l.next.text(d)}
}

// all is the number of all clients, where an answer states it.
func (l listing) all(d document) (n int, known bool) {
	n, err := strconv.Atoi(l.total.text(d))
	return n, err == nil && n >= 0
}

// listed reads one entry, or asks for its client. Asked is how many requests that took.
func (p *provider) listed(ctx context.Context, entry document, at time.Time) (out providers.Listed, asked int, err error) {
	l := p.listing
	out.Ref = credential.Ref{}
	for name, where := range map[string]place{refID: l.id, refClientID: l.clientID, refParent: l.parent} {
		if text := where.text(entry); text != "" {
			out.Ref[name] = text
		}
	}
	out.Name, out.Created = l.name.text(entry), l.start.moment(entry, unitAuto, at).at
	out.Owners, out.Tags = l.owner.words(entry), l.tags.words(entry)
	v, err := p.ref("list", providers.Target{Ref: out.Ref})
	if err != nil {
		return out, 0, err
	}
	var s status
	none := false
	if l.alike {
		none = p.plan.look.read(l.answer(entry), p.naming(v), at, &s) != nil
	} else {
		s, err = p.look(ctx, "list", v)
		asked = 1
		class := providers.ClassOf(err)
		none = class == providers.ClassUnsupported || class == providers.ClassRejected
	}
	switch {
	case none:
		out.Unusable, out.Snapshot = "the API shows no secret of this client", providers.Snapshot{Time: at}
		return out, asked, nil
	case err != nil:
		return out, asked, err
	}
	out.Whole, out.Snapshot = true, p.shown(s, v, 0)
	out.Snapshot.Time = at
	return out, asked, nil
}

// answer is an entry in the form of inspect's answer.
func (l listing) answer(entry document) document {
	if l.inside == "" {
		return entry
	}
	return document{map[string]any{l.inside: entry.root}}
}

// words are the texts at a place: one, or a list of them.
func (p place) words(d document) (out []string) {
	for _, node := range p.all(d) {
		list, many := node.([]any)
		if !many {
			list = []any{node}
		}
		for _, one := range list {
			if text := written(one); text != "" {
				out = append(out, text)
			}
		}
	}
	return out
}
