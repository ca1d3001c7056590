package providertest

import (
	"net/http"
	"reflect"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// mostPages bounds the walk of a test: a tenant of tests is small, and a walk without an end is a defect.
const mostPages = 1000

// listFindsTheClient walks the whole tenant with nothing but reading requests, and meets the client there as a look at it
// alone shows it.
func listFindsTheClient(b *bench) {
	lister, ok := providers.AsLister(b.provider)
	if !ok {
		return
	}
	alone, made := b.inspect(), b.Created()
	b.faults.set(func(r *http.Request) bool { return !harmless(r) && !b.logsIn(r) && (b.Reads == nil || !b.Reads(r)) }, nil)
	found := meet(b, lister)
	switch {
	case found == nil:
		b.Fatalf("no page lists %v", b.Target.Ref)
	case found.Unusable != "":
		b.Fatalf("the client is listed as one that cannot be rotated: %s", found.Unusable)
	case b.faults.count() > 0 || b.Created() != made:
		b.Errorf("the walk has sent %d requests that could change something, and made %d secrets", b.faults.count(), b.Created()-made)
	}
	mustAgree(b, alone, *found)
}

// meet walks the whole tenant and returns the client as a page shows it; nil = none does.
func meet(b *bench, lister providers.Lister) (found *providers.Listed) {
	b.Helper()
	seen, cursor := map[string]bool{}, ""
	for pages := 0; ; pages++ {
		if pages == mostPages || seen[cursor] && cursor != "" {
			b.Fatalf("the walk has no end: page %d, cursor %q", pages, cursor)
		}
		seen[cursor] = true
		page, err := lister.List(b.Context(), cursor)
		if err != nil {
			b.Fatalf("listing page %d: %v", pages, err)
		}
		for _, c := range page.Clients {
			if c.Ref.Canonical() == b.Target.Ref.Canonical() {
				found = &c
			}
		}
		if cursor = page.Next; cursor == "" {
			return found
		}
	}
}

// logsIn says whether a request is one by which rotad itself gets a token.
func (b *bench) logsIn(r *http.Request) bool { return b.Verifies != nil && b.Verifies(r) }

// mustAgree: a list that claims to tell everything tells what a look tells.
func mustAgree(b *bench, alone providers.Snapshot, listed providers.Listed) {
	b.Helper()
	if !listed.Whole {
		return
	}
	if alone.ClientID != listed.Snapshot.ClientID || !reflect.DeepEqual(alone.Secrets, listed.Snapshot.Secrets) {
		b.Errorf("the list and the look differ:\n%+v\n%+v", listed.Snapshot, alone)
	}
	for _, caps := range []*credential.Capabilities{&alone.Caps, &listed.Snapshot.Caps} {
		caps.Grace = 0 // a person may have stated it for the client, which a list does not know
	}
	if alone.Caps != listed.Snapshot.Caps {
		b.Errorf("the list and the look differ:\n%+v\n%+v", listed.Snapshot.Caps, alone.Caps)
	}
}

// listUnderFaults hits a page with everything that servers and networks do. What is no page is an error, never an empty one.
func listUnderFaults(b *bench) {
	lister, ok := providers.AsLister(b.provider)
	if !ok {
		return
	}
	made := b.Created()
	for _, h := range hostileWorld() {
		ctx, cancel := h.inject(b, all)
		_, err := lister.List(ctx, "")
		cancel()
		b.Logf("%s: %v", h.name, err)
		want := append(h.read, loginClasses(h)...)
		if h.read[0] == providers.ClassNotFound { // there is no such tenant, which says nothing about a client
			want = append(want, providers.ClassRejected)
		}
		h.check(b, b.mustFail(err, "list", want...))
	}
	b.faults.set(nil, nil)
	if _, err := lister.List(b.Context(), ""); err != nil || b.Created() != made {
		b.Errorf("after the faults: %v; %d secrets were made", err, b.Created()-made)
	}
}

// listRefusesAForeignCursor: a file of progress may be old, or of another provider.
func listRefusesAForeignCursor(b *bench) {
	lister, ok := providers.AsLister(b.provider)
	if !ok {
		return
	}
	for _, cursor := range []string{"no cursor of this provider", "%zz", "first=-1&after=x", "http://elsewhere.example/?x=1"} {
		page, err := lister.List(b.Context(), cursor)
		_ = b.mustFail(err, "list", providers.ClassRejected)
		if len(page.Clients) > 0 {
			b.Errorf("%q lists %d clients", cursor, len(page.Clients))
		}
	}
}
