package gcpserviceaccount

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// pageSize is how many service accounts a page has. The keys of each take a request of their own, so a page is kept short.
const pageSize = 20

// listed is a service account in a page.
type listed struct {
	Email    string `json:"email"`
	Name     string `json:"displayName"`
	Disabled bool   `json:"disabled"`
}

// accountPage is one reply of the collection.
type accountPage struct {
	Accounts []listed `json:"accounts"`
	Next     string   `json:"nextPageToken"`
}

// accounts reads one page of the service accounts of the project.
func (a api) accounts(ctx context.Context, operation, cursor string, size int) (accountPage, time.Time, error) {
	query := url.Values{"pageSize": {strconv.Itoa(size)}}
	if cursor != "" {
		query.Set("pageToken", cursor)
	}
	var page accountPage
	resp, err := a.account.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: httpapi.Path("v1", "projects", a.project, "serviceAccounts"), Query: query,
	}, &page)
	if err != nil {
		return accountPage{}, time.Time{}, err
	}
	var members map[string]any
	if page.Accounts == nil && (httpapi.Unmarshal(resp.Raw(), &members) != nil || len(members) > 0) { // what is neither a list nor empty must not end a walk
		return accountPage{}, time.Time{}, resp.Missing("accounts")
	}
	for _, one := range page.Accounts {
		if one.Email == "" {
			return accountPage{}, time.Time{}, resp.Missing("email")
		}
	}
	return page, resp.Time, nil
}

// List implements providers.Lister. rotad's own service account is listed as one that is not taken like any other. Where rotad may not list the keys of a service account, that is listed without them.
func (p *provider) List(ctx context.Context, cursor string) (providers.Page, error) {
	page, at, err := p.api.accounts(ctx, "list", cursor, pageSize)
	if err != nil {
		return providers.Page{}, err
	}
	out := providers.Page{Next: page.Next, Time: at, Requests: 1 + len(page.Accounts)}
	own := p.api.account.Own()
	for _, one := range page.Accounts {
		c := providers.Listed{Ref: credential.Ref{refAccount: one.Email}, Name: one.Name}
		keys, _, err := p.api.keys(ctx, "list", one.Email)
		switch providers.ClassOf(err) {
		case "":
			c.Whole = true
		case providers.ClassAuth:
		case providers.ClassNotFound: // it went away meanwhile
			continue
		default:
			return providers.Page{}, err
		}
		c.Snapshot = snapshot(keys, at)
		switch {
		case one.Disabled:
			c.Unusable = "it is disabled"
		case strings.EqualFold(one.Email, own): // whoever adopts everything would lock rotad out with its first rotation
			c.Unusable = "rotad logs in with it, and has to get its new key as well (docs/reference/own-credentials.md)"
		case c.Whole && len(keys) == 0:
			c.Unusable = "it has no key"
		}
		out.Clients = append(out.Clients, c)
	}
	return out, nil
}
