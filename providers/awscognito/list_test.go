package awscognito_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers"
)

func lister(t testing.TB, p providers.Provider) providers.Lister {
	t.Helper()
	l, ok := providers.AsLister(p)
	if !ok {
		t.Fatal("aws-cognito cannot list")
	}
	return l
}

// Every app client is met once, with its secrets, for a request each. Public ones are met as what they are.
func TestAUserPoolIsWalked(t *testing.T) {
	s := newServer(t) // with billing, browser (public) and other
	for i := range 60 {
		if err := s.Register(fmt.Sprintf("c%02d", i), "secret"); err != nil {
			t.Fatal(err)
		}
	}
	p := s.open(t, own, nil)
	seen, pages := map[string]providers.Listed{}, 0
	for cursor := ""; pages == 0 || cursor != ""; pages++ {
		page, err := lister(t, p).List(t.Context(), cursor)
		if err != nil || pages > 3 || page.Requests != 1+len(page.Clients) || page.Time.IsZero() {
			t.Fatalf("page %d: %d requests for %d app clients, %v", pages, page.Requests, len(page.Clients), err)
		}
		for _, c := range page.Clients {
			id := c.Ref["client_id"]
			if _, twice := seen[id]; twice || c.Name != "App "+id || c.Whole != (id != "browser") {
				t.Errorf("%+v", c)
			}
			seen[id] = c
		}
		cursor = page.Next
	}
	if len(seen) != 63 || pages != 3 || seen["browser"].Unusable == "" || len(seen["c07"].Snapshot.Secrets) != 1 {
		t.Errorf("%d app clients in %d pages, %+v", len(seen), pages, seen["browser"])
	}
	if _, err := lister(t, p).List(t.Context(), "token=gone"); providers.ClassOf(err) != providers.ClassRejected {
		t.Errorf("a token that AWS does not know any more: %v", err)
	}
}

// choosing answers one action itself and passes the others on.
type choosing struct {
	action string
	by     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c choosing) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+c.action) {
		return c.by.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// What lists app clients is read, or refused: nothing of a reply in an error.
func FuzzClients(f *testing.F) {
	for _, body := range []string{
		`{"UserPoolClients":[{"ClientId":"billing","ClientName":"Billing"}],"NextToken":"` + mark + `"}`, `{"UserPoolClients":[{}]}`, `{}`, `null`,
		`{"UserPoolClients":"` + mark + `"}`, `<html>` + mark, ``, `{"UserPoolClients":[{"ClientId":"gone"},{"ClientId":"browser"}]}`,
	} {
		f.Add(body)
	}
	s := newServer(f)
	f.Fuzz(func(t *testing.T, body string) {
		page, err := lister(t, s.open(t, own, choosing{"ListUserPoolClients", answers{http.StatusOK, body}})).List(t.Context(), "")
		if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark) || len(page.Clients) > 0) {
			t.Errorf("%d clients, %v", len(page.Clients), err)
		}
		for _, c := range page.Clients {
			if c.Ref["client_id"] == "" || c.Whole != (c.Unusable == "") {
				t.Errorf("%+v", c)
			}
		}
	})
}

func TestRights(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		status int
		body   string
		held   int // rights that are told
		want   bool
		class  providers.Class
	}{
		"it may look":             {400, `{"__type":"ResourceNotFoundException"}`, 1, true, providers.ClassUnsupported},
		"it may not":              {400, `{"__type":"AccessDeniedException","message":"CANARY"}`, 1, false, providers.ClassUnsupported},
		"a key that is not known": {400, `{"__type":"UnrecognizedClientException"}`, 0, false, providers.ClassAuth},
		"an accident":             {500, `{"__type":"InternalErrorException"}`, 0, false, providers.ClassUnavailable},
	} {
		reader, ok := providers.AsRightsReader(s.open(t, own, answers{test.status, test.body}))
		if !ok {
			t.Fatal("aws-cognito cannot read rights")
		}
		rights, err := reader.Rights(t.Context(), nil)
		if len(rights) != test.held || providers.ClassOf(err) != test.class || test.held > 0 && rights[0].Held != test.want {
			t.Errorf("%s: %+v, %v", name, rights, err)
		}
		if test.class == providers.ClassUnsupported && !strings.Contains(err.Error(), "simulate-principal-policy") {
			t.Errorf("%s: nobody is told whom to ask: %v", name, err)
		}
	}
}
