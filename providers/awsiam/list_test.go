package awsiam_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers"
)

func lister(t testing.TB, p providers.Provider) providers.Lister {
	t.Helper()
	l, ok := providers.AsLister(p)
	if !ok {
		t.Fatal("aws-iam cannot list")
	}
	return l
}

// Every user is met once, with its keys and their use, for a request each and one per key.
func TestAnAccountIsWalkedByItsMarkers(t *testing.T) {
	a := newAccount(t) // with rotad and billing
	for i := range 60 {
		if _, _, err := a.Register(fmt.Sprintf("user%02d", i), false); err != nil {
			t.Fatal(err)
		}
	}
	p := a.open(t, a.own, nil)
	seen, pages := map[string]providers.Listed{}, 0
	for cursor := ""; pages == 0 || cursor != ""; pages++ {
		page, err := lister(t, p).List(t.Context(), cursor)
		if err != nil || pages > 3 || page.Requests != 1+2*len(page.Clients) || page.Time.IsZero() {
			t.Fatalf("page %d: %d requests for %d users, %v", pages, page.Requests, len(page.Clients), err)
		}
		for _, c := range page.Clients {
			if _, twice := seen[c.Name]; twice || !c.Whole || len(c.Snapshot.Secrets) != 1 || c.Created.Year() != 2026 || c.Ref["user"] != c.Name {
				t.Errorf("%+v", c)
			}
			seen[c.Name] = c
		}
		cursor = page.Next
	}
	if len(seen) != 62 || pages != 3 || seen["rotad"].Snapshot.Secrets[0].LastUse.IsZero() || !seen["user07"].Snapshot.Secrets[0].LastUse.IsZero() {
		t.Errorf("%d users in %d pages", len(seen), pages)
	}
	if _, err := lister(t, p).List(t.Context(), "marker=gone"); providers.ClassOf(err) != providers.ClassRejected {
		t.Errorf("a marker that AWS does not know any more: %v", err)
	}
}

// What lists users is read, or refused: nothing of a reply in an error.
func FuzzUsers(f *testing.F) {
	for _, body := range []string{
		`<ListUsersResponse><ListUsersResult><Users><member><UserName>billing</UserName><CreateDate>2026-03-01T12:00:00Z</CreateDate></member></Users><IsTruncated>true</IsTruncated><Marker>` + mark + `</Marker></ListUsersResult></ListUsersResponse>`,
		`<ListUsersResponse><ListUsersResult><Users><member/></Users></ListUsersResult></ListUsersResponse>`, `<ListUsersResponse/>`, `<html>` + mark, ``,
		`<ListUsersResponse><ListUsersResult><IsTruncated>true</IsTruncated></ListUsersResult></ListUsersResponse>`,
	} {
		f.Add(body)
	}
	a := newAccount(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := a.open(t, a.own, choosing{"ListUsers", answers{http.StatusOK, body}})
		page, err := lister(t, p).List(t.Context(), "")
		if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark) || len(page.Clients) > 0) {
			t.Errorf("%d clients, %v", len(page.Clients), err)
		}
		for _, c := range page.Clients {
			if c.Ref["user"] == "" {
				t.Errorf("%+v", c)
			}
		}
	})
}

// choosing answers one action itself and passes the others on.
type choosing struct {
	action string
	by     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c choosing) RoundTrip(r *http.Request) (*http.Response, error) {
	if asks(r, c.action) {
		return c.by.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// asksAbout says whether a request's form holds a parameter. The body is there again afterwards.
func asksAbout(r *http.Request, parameter string) bool {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && strings.Contains(string(body), parameter)
}
