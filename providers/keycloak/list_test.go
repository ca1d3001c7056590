package keycloak_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

func lister(t *testing.T, p providers.Provider) providers.Lister {
	t.Helper()
	l, ok := providers.AsLister(p)
	if !ok {
		t.Fatal("keycloak cannot list")
	}
	return l
}

// crowd is a realm with n clients, named so that their order is their number.
func crowd(t *testing.T, n int) *realm {
	t.Helper()
	r := newRealm(t, sandbox.KeycloakSettings{})
	for i := range n {
		if err := r.Register(sandbox.KeycloakClient{ClientID: fmt.Sprintf("c%04d", i), Public: true, Attributes: map[string]string{"owner": "ann@example.com##bob@example.com", "tags": "x, y"}}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// Whoever adds or deletes clients while a walk is under way moves the count of those behind them. No client is missed that
// was there all the time.
func TestAWalkMissesNobodyWhileOthersComeAndGo(t *testing.T) {
	for name, meanwhile := range map[string]func(*realm){
		"nothing changes":         func(*realm) {},
		"one before is deleted":   func(r *realm) { r.Unregister("c0003") },
		"the last one is deleted": func(r *realm) { r.Unregister("c0499") },
		"many before are deleted": func(r *realm) {
			for i := range 100 {
				r.Unregister(fmt.Sprintf("c%04d", i))
			}
		},
		"some are added before": func(r *realm) {
			for i := range 7 {
				_ = r.Register(sandbox.KeycloakClient{ClientID: fmt.Sprintf("b%04d", i)})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := crowd(t, 1200)
			list, seen := lister(t, r.open(t, nil)), map[string]bool{}
			for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
				page, err := list.List(t.Context(), cursor)
				if err != nil || pages > 10 {
					t.Fatalf("page %d: %v", pages, err)
				}
				for _, c := range page.Clients {
					seen[c.Ref["client_id"]] = true
				}
				if cursor = page.Next; pages == 0 {
					meanwhile(r)
				}
			}
			for i := 100; i < 1200; i++ {
				if id := fmt.Sprintf("c%04d", i); !seen[id] {
					t.Fatalf("%s was not met", id)
				}
			}
		})
	}
}

// Keycloak has no owners. An attribute says whose a client is; none of the others is shown, because some hold private keys.
func TestOnlyTwoAttributesAreShown(t *testing.T) {
	r := crowd(t, 1)
	if err := r.Register(sandbox.KeycloakClient{ClientID: "saml", Attributes: map[string]string{"saml.signing.private.key": mark, "note": mark}}); err != nil {
		t.Fatal(err)
	}
	page, err := lister(t, r.open(t, nil)).List(t.Context(), "")
	if err != nil || len(page.Clients) != 2 {
		t.Fatalf("%d clients, %v", len(page.Clients), err)
	}
	if c := page.Clients[0]; strings.Join(c.Owners, "+") != "ann@example.com+bob@example.com" || strings.Join(c.Tags, "+") != "x+y" {
		t.Errorf("owners %q, tags %q", c.Owners, c.Tags)
	}
	if text := fmt.Sprintf("%+v", page); strings.Contains(text, mark) {
		t.Error("an attribute is shown that nobody asked for")
	}
}

// What lists a realm is read, or refused: no value of a secret, and nothing of a reply in an error.
func FuzzPages(f *testing.F) {
	for _, body := range []string{
		`[{"id":"u","clientId":"billing","secret":"` + mark + `"}]`, `[]`, `null`, `{}`, `[null]`, `[{"id":"u"}]`, `<html>` + mark, ``,
		`[{"id":"u","clientId":"billing","secret":"` + mark + `","attributes":{"client.secret.rotated":"` + mark + `2"}}]`,
	} {
		f.Add(body)
	}
	r := fuzzed(f)
	f.Fuzz(func(t *testing.T, body string) {
		handler := r.Handler()
		p := r.open(t, inProcess(func(w http.ResponseWriter, req *http.Request) {
			if strings.HasSuffix(req.URL.Path, "/clients") {
				_, _ = io.WriteString(w, body)
				return
			}
			handler.ServeHTTP(w, req)
		}))
		page, err := lister(t, p).List(t.Context(), "")
		switch {
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		case err != nil && len(page.Clients) > 0:
			t.Error("an error with clients")
		case err == nil && !strings.Contains(body, "["):
			t.Error("a reply without a list is taken for a page")
		}
		for _, c := range page.Clients {
			if c.Ref["client_id"] == "" || len(c.Snapshot.Secrets) > 2 {
				t.Errorf("%+v", c)
			}
		}
	})
}
