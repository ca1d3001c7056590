package awscognito

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// pageSize is how many app clients are asked for at once, of at most 60. Each of them is asked for its secrets, and Cognito takes few such
// requests a second, so a page that was throttled should not have many of them to repeat.
const pageSize = 25

const tokenKey = "token"

var errCursor = errors.New("this is no cursor of a walk through this user pool; begin again")

// List implements providers.Lister. Cognito lists app clients without their secrets, so each is asked for.
func (p *provider) List(ctx context.Context, cursor string) (providers.Page, error) {
	token, err := url.ParseQuery(cursor)
	if err != nil || cursor != "" && (len(token) != 1 || token.Get(tokenKey) == "") {
		return providers.Page{}, p.api.fault("list", providers.ClassRejected, errCursor)
	}
	clients, next, at, err := p.api.clients(ctx, token.Get(tokenKey))
	if err != nil {
		return providers.Page{}, err
	}
	page := providers.Page{Time: at, Requests: 1 + len(clients), Clients: make([]providers.Listed, 0, len(clients))}
	if next != "" {
		page.Next = url.Values{tokenKey: {next}}.Encode()
	}
	for _, c := range clients {
		out := providers.Listed{Ref: credential.Ref{refClientID: c.ID}, Name: c.Name}
		seen, err := p.look(ctx, "list", c.ID)
		switch {
		case providers.ClassOf(err) == providers.ClassNotFound: // it went meanwhile
			continue
		case errors.Is(err, errPublic):
			out.Unusable, out.Snapshot = errPublic.Error(), providers.Snapshot{ClientID: c.ID, Time: at}
		case err != nil:
			return providers.Page{}, err
		default:
			out.Whole, out.Snapshot = true, seen
		}
		page.Clients = append(page.Clients, out)
	}
	return page, nil
}

// appClient is an app client as a list shows it.
type appClient struct {
	ID   string `json:"ClientId"`
	Name string `json:"ClientName"`
}

// clients lists the app clients after a token; an empty one is the beginning.
func (a api) clients(ctx context.Context, token string) (all []appClient, next string, at time.Time, err error) {
	about := map[string]any{"MaxResults": pageSize}
	if token != "" {
		about["NextToken"] = token
	}
	resp, err := a.ask(ctx, "list", "ListUserPoolClients", about, false)
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound: // there is no such user pool, which says nothing about a client
		return nil, "", at, resp.Failed(providers.ClassRejected, errUnknown)
	case err != nil:
		return nil, "", at, err
	}
	var page struct {
		Clients *[]appClient `json:"UserPoolClients"`
		Next    string       `json:"NextToken"`
	}
	if httpapi.Unmarshal(resp.Raw(), &page) != nil || page.Clients == nil {
		return nil, "", at, resp.Missing("UserPoolClients")
	}
	for _, c := range *page.Clients {
		if c.ID == "" {
			return nil, "", at, resp.Missing("ClientId")
		}
	}
	return *page.Clients, page.Next, resp.Time, nil
}
