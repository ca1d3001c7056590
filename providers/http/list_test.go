package http_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	kind "github.com/rotad/rotad/providers/http"
)

// crowd is an API with clients by numbered pages, or by offsets from 1.
type crowd struct {
	ids    []string
	most   int // clients that the server puts on a page; 0 = as many as it is asked for
	number int // requests
}

// ServeHTTP implements http.Handler.
func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.number++
	size, _ := strconv.Atoi(r.URL.Query().Get("size"))
	from, _ := strconv.Atoi(r.URL.Query().Get("from"))
	if number := r.URL.Query().Get("page"); number != "" {
		n, _ := strconv.Atoi(number)
		from = n*size + 1
	}
	if c.most > 0 {
		size = min(size, c.most)
	}
	var list []string
	for _, id := range c.ids[min(from-1, len(c.ids)):min(from-1+size, len(c.ids))] {
		list = append(list, fmt.Sprintf(`{"id":%q,"secret":{"start":1772366400},"team":["a","b"]}`, id))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"all":[`+strings.Join(list, ",")+`]}`)
}

// walking describes an API whose list tells all that a look does.
func walking(url string, query map[string]string) kind.Settings {
	s := slots()
	s.URL = url
	s.Inspect.Current = kind.Fields{Start: "$.secret.start"}
	s.List = &kind.Listing{
		Call: kind.Call{Path: "/all", Query: query}, Clients: "$.all", ClientID: "$.id", Owner: "$.team", Alike: true, Size: 10, Zero: query["page"] != "",
	}
	return s
}

func lister(t testing.TB, p providers.Provider) providers.Lister {
	t.Helper()
	l, ok := providers.AsLister(p)
	if !ok {
		t.Fatal("what is described cannot be walked")
	}
	return l
}

// Whoever adds or deletes clients while a walk is under way moves those behind them. None is missed that was there all the time.
func TestAWalkMissesNobodyWhileOthersComeAndGo(t *testing.T) {
	for how, query := range map[string]map[string]string{
		"numbers": {"page": "{number}", "size": "{size}"}, "offsets": {"from": "{offset}", "size": "{size}"},
	} {
		for name, meanwhile := range map[string]func([]string) []string{
			"nothing changes":             func(ids []string) []string { return ids },
			"one before is deleted":       func(ids []string) []string { return slices.Delete(ids, 3, 4) },
			"one goes and one comes":      func(ids []string) []string { return append(slices.Delete(ids, 3, 4), "z") },
			"the last one is deleted":     func(ids []string) []string { return slices.Delete(ids, 9, 10) },
			"more than a page is deleted": func(ids []string) []string { return slices.Delete(ids, 0, 15) },
			"some are added before":       func(ids []string) []string { return slices.Insert(ids, 0, "a1", "a2", "a3") },
		} {
			t.Run(how+"/"+name, func(t *testing.T) {
				c := &crowd{}
				for i := range 35 {
					c.ids = append(c.ids, fmt.Sprintf("c%02d", i))
				}
				server := httptest.NewServer(c)
				t.Cleanup(server.Close)
				list, seen := lister(t, open(t, walking(server.URL, query), nil)), map[string]bool{}
				for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
					page, err := list.List(t.Context(), cursor)
					if err != nil || pages > 8 {
						t.Fatalf("page %d: %v", pages, err)
					}
					for _, one := range page.Clients {
						if !one.Whole || len(one.Snapshot.Secrets) != 1 || strings.Join(one.Owners, "+") != "a+b" {
							t.Errorf("%+v", one)
						}
						seen[one.Ref["client_id"]] = true
					}
					if cursor = page.Next; pages == 0 {
						c.ids = meanwhile(c.ids)
					}
				}
				for i := 15; i < 35; i++ {
					if id := fmt.Sprintf("c%02d", i); !seen[id] {
						t.Errorf("%s was not met", id)
					}
				}
			})
		}
	}
}

// A server that gives less than it is asked for would let offsets pass over clients.
func TestAServerThatGivesShorterPagesIsNotBelieved(t *testing.T) {
	c := &crowd{most: 5}
	for i := range 35 {
		c.ids = append(c.ids, fmt.Sprintf("c%02d", i))
	}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	list := lister(t, open(t, walking(server.URL, map[string]string{"from": "{offset}", "size": "{size}"}), nil))
	first, err := list.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = list.List(t.Context(), first.Next); providers.ClassOf(err) != providers.ClassRejected || !strings.Contains(err.Error(), "list.size") {
		t.Errorf("%v", err)
	}
}

// Where the list does not tell of secrets, each client is asked for, and that is said.
func TestClientsAreAskedForOneByOne(t *testing.T) {
	_, url := standIn(t, sandbox.Settings{AdminToken: "bearer"})
	p := open(t, kind.Settings{
		Preset: "okta", URL: url + sandbox.PathOkta, Vars: map[string]string{"server": "default"}, Access: kind.Access{TokenEnv: "T"},
		List: &kind.Listing{Call: kind.Call{Query: map[string]string{"limit": "1"}}},
	}, http.DefaultTransport)
	seen, requests := map[string]providers.Listed{}, 0
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		page, err := lister(t, p).List(t.Context(), cursor)
		if err != nil || pages > 8 {
			t.Fatalf("page %d: %v", pages, err)
		}
		requests += page.Requests
		for _, one := range page.Clients {
			seen[one.Ref["client_id"]] = one
		}
		cursor = page.Next
	}
	if len(seen) != 3 || requests != 7 || !seen["billing"].Whole || seen["billing"].Name != "App billing" {
		t.Errorf("%d clients in %d requests: %+v", len(seen), requests, seen["billing"])
	}
}

func TestWhatAListLacks(t *testing.T) {
	full := func() *kind.Listing {
		return &kind.Listing{Call: kind.Call{Path: "/all", Query: map[string]string{"page": "{number}"}}, Clients: "$", ClientID: "$.id"}
	}
	for name, change := range map[string]func(*kind.Settings){
		"list.clients":   func(s *kind.Settings) { s.List.Clients = "" },
		"list.client_id": func(s *kind.Settings) { s.List.ClientID = "" },
		"list.next":      func(s *kind.Settings) { s.List.Next = "$.next" },
		"list.link": func(s *kind.Settings) {
			s.List.Query, s.List.Next, s.List.Link = map[string]string{"p": "{page}"}, "$.n", "after"
		},
		"list.size":   func(s *kind.Settings) { s.List.Query = map[string]string{"p": "{offset}"} },
		"list.total":  func(s *kind.Settings) { s.List.Query, s.List.Total, s.List.Size = nil, "$.total", 5 },
		"list.inside": func(s *kind.Settings) { s.List.Inside = "result" },
		"list":        func(s *kind.Settings) { s.List.Query["o"] = "{offset}"; s.List.Size = 1 },
	} {
		s := slots()
		s.List = full()
		change(&s)
		var found []string
		s.Validate(func(path, _, _ string) { found = append(found, path) })
		if !slices.Contains(found, name) {
			t.Errorf("%s is not reported: %v", name, found)
		}
	}
	s := slots()
	if _, ok := providers.AsLister(open(t, s, &replies{})); ok {
		t.Error("what describes no list can be walked")
	}
	s.List = full()
	s.Validate(func(path, what, _ string) { t.Errorf("%s %s", path, what) })
}

// What lists clients is read, or refused: nothing of a reply in an error, and no page without names.
func FuzzPages(f *testing.F) {
	for _, body := range []string{
		`{"all":[{"id":"x","secret":{"start":1772366400}}]}`, `{"all":[{}]}`, `{"all":[]}`, `{}`, `[]`, `{"all":"` + mark + `"}`, `<html>` + mark, ``,
		`{"all":[{"id":"x"},{"id":7,"team":"` + mark + `"}]}`,
	} {
		f.Add(body, `<https://api/all?after=y>; rel="next"`)
	}
	f.Fuzz(func(t *testing.T, body, link string) {
		s := walking("https://api", map[string]string{"after": "{page}"})
		s.List.Link, s.List.Size = "after", 0
		p := open(t, s, linking{body, link})
		page, err := lister(t, p).List(t.Context(), "")
		if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark) || len(page.Clients) > 0) {
			t.Errorf("%d clients, %v", len(page.Clients), err)
		}
		for _, one := range page.Clients {
			if one.Ref["client_id"] == "" || one.Whole != (one.Unusable == "") {
				t.Errorf("%+v", one)
			}
		}
	})
}

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// linking answers everything with a body and a header Link.
type linking struct{ body, link string }

// RoundTrip implements http.RoundTripper.
func (l linking) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Link": {l.link}}, Body: io.NopCloser(strings.NewReader(l.body)), Request: r,
	}, nil
}
