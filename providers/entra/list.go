package entra

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/graph"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

const (
	// listPath is the collection of a tenant's applications.
	listPath = "/applications"
	// pageSize is the largest page that Graph gives of applications.
	pageSize = "999"
	// pageLimit bounds the reply of one page, in bytes: 999 applications with a hundred passwords each just fit.
	pageLimit = 32 << 20
	// listTimeout bounds the wait for one page: Graph takes seconds for 999 applications with their owners.
	listTimeout = 60 * time.Second
)

// listed is an application in a page.
type listed struct {
	application

	DisplayName     string    `json:"displayName"`
	CreatedDateTime time.Time `json:"createdDateTime"`
	Tags            []string  `json:"tags"`
	Owners          []owner   `json:"owners"`
}

// owner is a directory object. Where rotad may not read that sort of object, Graph shows its id alone.
type owner struct {
	ID                string `json:"id"`
	DisplayName       string `json:"displayName"`
	UserPrincipalName string `json:"userPrincipalName"`
}

func (o owner) name() string {
	switch {
	case o.UserPrincipalName != "":
		return o.UserPrincipalName
	case o.DisplayName != "":
		return o.DisplayName
	}
	return o.ID
}

// page is one reply of the collection.
type page struct {
	Next  string   `json:"@odata.nextLink"`
	Value []listed `json:"value"`
}

var (
	errCursor = errors.New("this is no cursor of a walk through this tenant; begin again")
	errLink   = errors.New("the next page stands at another address than graph_url; rotad's token is not sent there")
)

// List implements providers.Lister. Graph names the next page by an address. Only its query is kept: the address is that
// of this collection, or the page is refused.
func (p *provider) List(ctx context.Context, cursor string) (providers.Page, error) {
	query, err := listQuery(cursor)
	if err != nil {
		return providers.Page{}, p.graph.fault("list", providers.ClassRejected, err)
	}
	var got page
	resp, err := p.pages.Into(ctx, httpapi.Request{Operation: "list", Method: http.MethodGet, Path: listPath, Query: query}, &got)
	if err != nil {
		return providers.Page{}, graph.Waiting(err)
	}
	if got.Value == nil { // an empty page has an empty list: what has none is no page, and must not end the walk
		return providers.Page{}, resp.Missing("value")
	}
	out := providers.Page{Clients: make([]providers.Listed, 0, len(got.Value)), Time: resp.Time}
	if out.Next, err = p.next(got.Next); err != nil {
		return providers.Page{}, resp.Failed(providers.ClassUnavailable, err)
	}
	for _, app := range got.Value {
		if app.AppID == "" {
			return providers.Page{}, resp.Missing("appId")
		}
		out.Clients = append(out.Clients, app.listed(resp.Time))
	}
	return out, nil
}

// listQuery is what a page is asked for by: the cursor, or the beginning of a walk. At most twenty owners come with an
// application, which is what Graph expands.
func listQuery(cursor string) (url.Values, error) {
	if cursor == "" {
		return url.Values{
			"$select": {"id,appId,displayName,createdDateTime,tags,signInAudience,passwordCredentials"},
			"$expand": {"owners($select=id,displayName,userPrincipalName)"},
			"$top":    {pageSize},
		}, nil
	}
	query, err := url.ParseQuery(cursor)
	if err != nil || !query.Has("$skiptoken") {
		return nil, errCursor
	}
	return query, nil
}

// next takes the cursor out of the address of the next page.
func (p *provider) next(link string) (string, error) {
	if link == "" {
		return "", nil
	}
	at, err := url.Parse(link)
	if err != nil {
		return "", errLink
	}
	query, path := at.RawQuery, at.Path
	at.RawQuery, at.ForceQuery, at.Fragment, at.RawFragment, at.User = "", false, "", "", nil
	if !strings.EqualFold(at.String(), p.graphURL+listPath) || path == "" {
		return "", errLink
	}
	if _, err := listQuery(query); err != nil || query == "" {
		return "", errCursor
	}
	return query, nil
}

func (a listed) listed(at time.Time) providers.Listed {
	out := providers.Listed{
		Ref: credential.Ref{refApp: a.AppID}, Name: a.DisplayName, Tags: a.Tags, Created: a.CreatedDateTime.UTC(), Whole: !a.has(""),
		Snapshot: providers.Snapshot{Caps: a.capabilities(), ClientID: a.AppID, Secrets: a.secrets(), Time: at},
	}
	for _, o := range a.Owners {
		if name := o.name(); name != "" {
			out.Owners = append(out.Owners, name)
		}
	}
	return out
}
