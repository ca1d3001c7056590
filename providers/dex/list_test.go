package dex_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

func lister(t testing.TB, p providers.Provider) providers.Lister {
	t.Helper()
	l, ok := providers.AsLister(p)
	if !ok {
		t.Fatal("dex cannot list")
	}
	return l
}

// walked walks the whole server and returns the clients by their ids; each is met once.
func walked(t *testing.T, p providers.Provider, meanwhile func(page int)) map[string]providers.Listed {
	t.Helper()
	seen := map[string]providers.Listed{}
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		page, err := lister(t, p).List(t.Context(), cursor)
		if err != nil || pages > 10 {
			t.Fatalf("page %d: %v", pages, err)
		}
		if page.Requests <= len(page.Clients) {
			t.Errorf("%d clients in %d requests, and each was asked for", len(page.Clients), page.Requests)
		}
		for _, c := range page.Clients {
			id := c.Ref["client_id"]
			if _, twice := seen[id]; twice {
				t.Errorf("%s is met twice", id)
			}
			seen[id] = c
		}
		cursor = page.Next
		meanwhile(pages)
	}
	return seen
}

// Dex lists in no order, all at once. Whoever comes or goes while a walk is under way moves nobody else.
func TestAWalkMissesNobodyWhileOthersComeAndGo(t *testing.T) {
	s := newServer(t)
	for i := range 120 {
		if err := s.Register(sandbox.DexRegistration{ID: fmt.Sprintf("c%04d", i), Secret: firstSecret}); err != nil {
			t.Fatal(err)
		}
	}
	seen := walked(t, s.open(t, lines(t)), func(page int) {
		s.Forget(fmt.Sprintf("c%04d", page))
		if err := s.Register(sandbox.DexRegistration{ID: fmt.Sprintf("a%04d", page), Secret: firstSecret}); err != nil {
			t.Error(err)
		}
	})
	for i := 3; i < 120; i++ {
		if id := fmt.Sprintf("c%04d", i); !seen[id].Whole {
			t.Fatalf("%s was not met: %+v", id, seen[id])
		}
	}
}

func TestWhatAListShows(t *testing.T) {
	s := newServer(t)
	for _, c := range []sandbox.DexRegistration{
		{ID: "rotad-spare-of-billing", Secret: firstSecret}, // left by a create that came to its end
		{ID: "rotad-spare-of-gone", Secret: firstSecret},    // of one that did not
		{ID: "blank"},
	} {
		if err := s.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	seen := walked(t, s.open(t, lines(t)), func(int) {})
	if len(seen) != 6 || !seen["billing"].Whole || seen["billing"].Name != "Billing <&>" || len(seen["billing"].Snapshot.Secrets) != 1 || !seen["gone"].Whole {
		t.Errorf("%+v", seen)
	}
	for id, why := range map[string]string{"browser": "public", "blank": "no secret"} {
		if c := seen[id]; c.Whole || !strings.Contains(c.Unusable, why) {
			t.Errorf("%s: %+v", id, c)
		}
	}
}

// What lists clients is read, or refused: nothing of a reply in an error.
func FuzzPages(f *testing.F) {
	for _, body := range append(seeds(), framed([]byte{1<<3 | 2, 9, 1<<3 | 2, 7, 'b', 'i', 'l', 'l', 'i', 'n', 'g'}), framed([]byte{1<<3 | 2, 0})) {
		f.Add(body)
	}
	s := newServer(f)
	through := lines(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := lister(t, s.open(t, says(through, "ListClients", body, nil))).List(t.Context(), "")
		switch {
		case err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)):
			t.Errorf("%v", err)
		case err != nil && len(page.Clients) > 0:
			t.Error("an error with clients")
		}
		for _, c := range page.Clients {
			if c.Ref["client_id"] == "" || c.Whole != (c.Unusable == "") {
				t.Errorf("%+v", c)
			}
		}
	})
}
