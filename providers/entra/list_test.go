package entra_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entra"
)

// A tenant is walked in pages of 999, and what nobody has asked for is not asked for.
func TestATenantIsWalkedInTheLargestPages(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tenant := sandbox.NewTenant(func() time.Time { return now }, sandbox.TenantSettings{Size: 2500})
	server := httptest.NewServer(tenant.Handler())
	t.Cleanup(server.Close)
	lister := listerAt(t, server.URL, nil)
	var met []providers.Listed
	for cursor, more := "", true; more; more = cursor != "" {
		page, err := lister.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		met, cursor = append(met, page.Clients...), page.Next
	}
	if len(met) != 2500 || tenant.Requests("list") != 3 || tenant.Requests("look") != 0 || tenant.Requests("change") != 0 {
		t.Fatalf("%d applications with %d requests", len(met), tenant.Requests("list"))
	}
	for i, c := range met {
		want := tenant.App(i)
		if c.Ref["app_id"] != want.ID || c.Name != want.Name || c.Owners[0] != want.Owner || c.Tags[0] != want.Tags[0] || len(c.Snapshot.Secrets) != len(want.Secrets) {
			t.Fatalf("application %d is %+v, want %+v", i, c, want)
		}
	}
}

func listerAt(t *testing.T, url string, transport http.RoundTripper) providers.Lister {
	t.Helper()
	p, err := entra.Kind().Open(providers.Opening{
		Name: "corp", Transport: transport, Secret: func(string) (string, error) { return "own", nil },
		Settings: &entra.Settings{TenantID: "tenant", ClientID: "rotad", GraphURL: url + sandbox.PathGraph, LoginURL: url + sandbox.PathLogin},
	})
	if err != nil {
		t.Fatal(err)
	}
	lister, ok := providers.AsLister(p)
	if !ok {
		t.Fatal("entra cannot list")
	}
	return lister
}

// Graph names the next page by an address. rotad's token goes to Graph alone.
func TestTheNextPageIsAtTheSameGraph(t *testing.T) {
	for link, class := range map[string]providers.Class{
		"https://graph.microsoft.com/v1.0/applications?$skiptoken=a":              "",
		"https://graph.microsoft.com/v1.0/applications?$top=9&$skiptoken=a%3d":    "",
		"https://graph.microsoft.com.evil.example/v1.0/applications?$skiptoken=a": providers.ClassUnavailable,
		"http://graph.microsoft.com/v1.0/applications?$skiptoken=a":               providers.ClassUnavailable,
		"https://graph.microsoft.com/v1.0/users?$skiptoken=a":                     providers.ClassUnavailable,
		"https://graph.microsoft.com/v1.0/applications":                           providers.ClassUnavailable,
		"https://graph.microsoft.com/v1.0/applications?$top=9":                    providers.ClassUnavailable,
		"https://graph.microsoft.com/v1.0/applications/../users?$skiptoken=a":     providers.ClassUnavailable,
		"https://user@evil.example@graph.microsoft.com/v1.0/applications":         providers.ClassUnavailable,
		"%zz": providers.ClassUnavailable,
	} {
		body, err := json.Marshal(map[string]any{"value": []any{}, "@odata.nextLink": link})
		if err != nil {
			t.Fatal(err)
		}
		p, err := entra.Kind().Open(providers.Opening{
			Name: "corp", Transport: oneAnswer{string(body)}, Settings: &entra.Settings{TenantID: "t", ClientID: "c"},
			Secret: func(string) (string, error) { return "own", nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		lister, _ := providers.AsLister(p)
		page, err := lister.List(t.Context(), "")
		if providers.ClassOf(err) != class || (page.Next != "") != (class == "") {
			t.Errorf("%s: %v, next %q; want class %q", link, err, page.Next, class)
		}
	}
}

// What lists a tenant is read, or refused: nothing of a reply stands in an error, and no page is taken for the last that is none.
func FuzzPages(f *testing.F) {
	for _, seed := range []string{
		`{"value":[{"appId":"a","displayName":"canary","tags":null,"owners":[{"id":"o"}],"passwordCredentials":[{"keyId":"k"}]}]}`,
		`{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/applications?$skiptoken=x"}`, `{"value":null}`, `{}`, `null`, `[]`,
		`{"value":[{"appId":""}]}`, `{"value":[null]}`, `{"value":[{"appId":"a","createdDateTime":"canary"}]}`, `<html>canary`, ``,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		page, err := listerAt(t, "https://graph.example", oneAnswer{body}).List(t.Context(), "")
		switch {
		case err != nil && strings.Contains(err.Error(), "canary"):
			t.Errorf("the error repeats the body: %v", err)
		case err != nil && (len(page.Clients) > 0 || page.Next != ""):
			t.Error("an error with a page")
		case err == nil && !strings.Contains(strings.ToLower(body), "value"):
			t.Error("a reply without a list is taken for a page")
		}
		for _, c := range page.Clients {
			if c.Ref["app_id"] == "" {
				t.Error("a client without a ref")
			}
		}
	})
}
