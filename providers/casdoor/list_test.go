package casdoor_test

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
		t.Fatal("casdoor cannot list")
	}
	return l
}

// Whoever adds or deletes applications while a walk is under way moves those behind them. None is missed that was there all the time.
func TestAWalkMissesNobodyWhileOthersComeAndGo(t *testing.T) {
	const n = 230
	for name, meanwhile := range map[string]func(*server) error{
		"nothing changes":       func(*server) error { return nil },
		"one before is deleted": func(s *server) error { s.Forget("c0003"); return nil },
		"one goes and one comes": func(s *server) error {
			s.Forget("c0007")
			return s.Register("x0000", firstSecret)
		},
		"the last one is deleted": func(s *server) error { s.Forget("c0097"); return nil },
		"more than a page before is deleted": func(s *server) error {
			for i := range 120 {
				s.Forget(fmt.Sprintf("c%04d", i))
			}
			return nil
		},
		"some are added before": func(s *server) error {
			for i := range 7 {
				if err := s.Register(fmt.Sprintf("b%04d", i), firstSecret); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t) // which has two of its own
			for i := range n {
				if err := s.Register(fmt.Sprintf("c%04d", i), firstSecret); err != nil {
					t.Fatal(err)
				}
			}
			list, seen := lister(t, s.open(t, ownSecret, nil)), map[string]bool{}
			for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
				page, err := list.List(t.Context(), cursor)
				if err != nil || pages > 10 {
					t.Fatalf("page %d: %v", pages, err)
				}
				for _, c := range page.Clients {
					seen[c.Ref["application"]] = true
				}
				if cursor = page.Next; pages == 0 {
					if err := meanwhile(s); err != nil {
						t.Fatal(err)
					}
				}
			}
			for i := 120; i < n; i++ {
				if id := fmt.Sprintf("admin/c%04d", i); !seen[id] {
					t.Fatalf("%s was not met", id)
				}
			}
		})
	}
}

func TestWhatAListShows(t *testing.T) {
	s := newServer(t)
	s.Change("other", "clientSecret", "")
	page, err := lister(t, s.open(t, ownSecret, nil)).List(t.Context(), "")
	if err != nil || len(page.Clients) != 2 || page.Next != "" {
		t.Fatalf("%+v, %v", page, err)
	}
	billing, other := page.Clients[0], page.Clients[1]
	if !billing.Whole || billing.Name != `A <b> & "c"` || strings.Join(billing.Owners, "+") != "built-in" || billing.Created.Hour() != 11 {
		t.Errorf("%+v", billing)
	}
	if other.Unusable == "" || other.Whole || len(other.Snapshot.Secrets) > 0 {
		t.Errorf("an application that lets everybody in: %+v", other)
	}
	s.Change("billing", "clientSecret", "***")
	if _, err = lister(t, s.open(t, ownSecret, nil)).List(t.Context(), ""); providers.ClassOf(err) != providers.ClassAuth {
		t.Errorf("an account that may not see: %v", err)
	}
}

// What lists applications is read, or refused: no value of a secret, and nothing of a reply in an error.
func FuzzPages(f *testing.F) {
	for _, body := range []string{
		`{"status":"ok","data":[{"owner":"admin","name":"billing","organization":"o","clientId":"i","clientSecret":"` + mark + `"}],"data2":1}`,
		`{"status":"ok","data":[],"data2":0}`, `{"status":"ok","data":null}`, `{"status":"ok","data":[null]}`, `{"status":"error","msg":"` + mark + `"}`,
		`{"status":"ok","data":[{"owner":"admin","name":"a/b","organization":"o","clientId":"i","clientSecret":""}],"data2":"` + mark + `"}`, `<html>` + mark, ``,
	} {
		f.Add(body)
	}
	s := newServer(f)
	f.Fuzz(func(t *testing.T, body string) {
		page, err := lister(t, s.open(t, ownSecret, answered{sandbox.PathCasdoorList, body})).List(t.Context(), "")
		switch {
		case err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)):
			t.Errorf("%v", err)
		case err != nil && len(page.Clients) > 0:
			t.Error("an error with clients")
		case err == nil && !strings.Contains(body, "["):
			t.Error("a reply without a list is taken for a page")
		}
		for _, c := range page.Clients {
			if c.Ref["application"] == "" || c.Whole == (len(c.Snapshot.Secrets) == 0) || strings.Contains(fmt.Sprintf("%+v", c.Snapshot.Secrets), mark) {
				t.Errorf("%+v", c)
			}
		}
	})
}
