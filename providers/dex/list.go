package dex

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

const (
	// pageSize is how many clients are asked for one by one before a page is given: Dex lists all at once, and without their secrets.
	pageSize = 50
	// pageLimit bounds the reply that lists all clients, in bytes.
	pageLimit = 32 << 20
	// listTimeout bounds the wait for it.
	listTimeout = 60 * time.Second
)

const afterKey = "after"

// cursorOf is the cursor of the clients whose ids are greater than one.
func cursorOf(id string) string { return url.Values{afterKey: {id}}.Encode() }

func afterOf(cursor string) (id string, ok bool) {
	if cursor == "" {
		return "", true
	}
	query, err := url.ParseQuery(cursor)
	return query.Get(afterKey), err == nil && len(query) == 1 && query.Get(afterKey) != ""
}

var (
	errCursor    = errors.New("this is no cursor of a walk through this Dex; begin again")
	errNoList    = errors.New("this Dex cannot list its clients (ListClients came with its API 2.4): rotad needs a newer one for that")
	errNoSecret  = errors.New("the client has no secret")
	errMalformed = errors.New("the answer is no list of clients")
)

// List implements providers.Lister. Dex lists ids and names, all at once; so a page is the next of them in the order of ids, and each of
// its clients is asked for. The replies hold clear secrets; nothing of them leaves this package.
func (p *provider) List(ctx context.Context, cursor string) (providers.Page, error) {
	after, ok := afterOf(cursor)
	if !ok {
		return providers.Page{}, p.api.fault("list", providers.ClassRejected, errCursor)
	}
	all, at, err := p.pages.list(ctx)
	if err != nil {
		return providers.Page{}, err
	}
	from, _ := slices.BinarySearchFunc(all, after, func(i info, id string) int { return cmp.Compare(i.id, id) })
	if from < len(all) && all[from].id == after {
		from++
	}
	batch := all[from:min(from+pageSize, len(all))]
	page := providers.Page{Time: at, Requests: 1 + len(batch), Clients: make([]providers.Listed, 0, len(batch))}
	for _, one := range batch {
		found, err := p.listed(ctx, one)
		switch {
		case providers.ClassOf(err) == providers.ClassNotFound: // it went meanwhile
			continue
		case err != nil:
			return providers.Page{}, err
		}
		page.Clients = append(page.Clients, found)
	}
	if from+len(batch) < len(all) {
		page.Next = cursorOf(batch[len(batch)-1].id)
	}
	return page, nil
}

// info is what a list tells of a client.
type info struct {
	id, name string
	public   bool
}

// list returns all clients in the order of their ids. The spare copy of a client stands for it where rotad has died in the middle of a
// create, and else is no client of anybody.
func (a api) list(ctx context.Context) ([]info, time.Time, error) {
	message, resp, err := a.ask(ctx, "list", "ListClients", nil, false)
	switch {
	case providers.ClassOf(err) == providers.ClassUnsupported:
		return nil, time.Time{}, resp.Failed(providers.ClassUnsupported, errNoList)
	case err != nil:
		return nil, time.Time{}, err
	}
	all, err := infos(message)
	if err != nil {
		return nil, time.Time{}, resp.Failed(providers.ClassUnavailable, errMalformed)
	}
	known := make(map[string]bool, len(all))
	for _, one := range all {
		known[one.id] = true
	}
	out := all[:0]
	for _, one := range all {
		original, spare := strings.CutPrefix(one.id, spareOf(""))
		if spare && original != "" {
			if known[original] {
				continue
			}
			one.id = original
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b info) int { return cmp.Compare(a.id, b.id) })
	return out, resp.Time, nil
}

// infos reads the answer to ListClients.
func infos(message []byte) ([]info, error) {
	entries, err := elements(message)
	if err != nil {
		return nil, err
	}
	var all []info
	for _, e := range entries {
		if e.number != fieldClients || e.wire != wireBytes {
			continue
		}
		id, err := text(e.bytes, fieldInfoID)
		if err != nil || len(id) == 0 {
			return nil, errMessage
		}
		name, err := text(e.bytes, fieldInfoName)
		if err != nil {
			return nil, err
		}
		public, err := flag(e.bytes, fieldInfoPublic)
		if err != nil {
			return nil, err
		}
		all = append(all, info{id: string(id), name: string(name), public: public})
	}
	return all, nil
}

// listed asks for one client of a list, unless the list says that it has no secret.
func (p *provider) listed(ctx context.Context, one info) (providers.Listed, error) {
	out := providers.Listed{Ref: credential.Ref{refClientID: one.id}, Name: one.name, Snapshot: providers.Snapshot{ClientID: one.id}}
	if one.public {
		out.Unusable = errPublic.Error()
		return out, nil
	}
	f, err := p.find(ctx, "list", one.id)
	switch {
	case errors.Is(err, errPublic), errors.Is(err, errNoSecret):
		out.Unusable = errors.Unwrap(err).Error()
		return out, nil
	case err != nil:
		return providers.Listed{}, err
	}
	out.Whole, out.Snapshot = true, f.snapshot()
	return out, nil
}
