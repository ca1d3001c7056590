package sandbox

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a page of Graph's applications.
const (
	graphPage    = 100 // where $top does not say
	graphPageMax = 999
)

// graphList is the collection of applications, page by page: $top says how many, the link to the next page carries on.
func (p *IdP) graphList(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("request-id", p.id())
	if !p.admits(r.Header.Get("Authorization")) {
		p.graphError(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty or invalid.")
		return
	}
	query := r.URL.Query()
	from, top, ok := graphWindow(query)
	if !ok {
		p.graphError(w, http.StatusBadRequest, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
		return
	}
	p.mu.RLock()
	all := make([]*client, 0, len(p.clients))
	for _, c := range p.clients {
		all = append(all, c)
	}
	p.mu.RUnlock()
	slices.SortFunc(all, func(a, b *client) int { return cmp.Compare(a.ObjectID, b.ObjectID) })
	value := []any{}
	for _, c := range all[min(from, len(all)):min(from+top, len(all))] {
		value = append(value, p.listedApplication(c, strings.Contains(query.Get("$expand"), "owners")))
	}
	page := map[string]any{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#applications", "value": value}
	if from+top < len(all) {
		page["@odata.nextLink"] = graphNext(r, from+top)
	}
	answer(w, http.StatusOK, page)
}

func (p *IdP) listedApplication(c *client, owners bool) map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	app := c.application(p.now())
	if owners {
		list := []any{}
		for _, name := range c.Owners {
			list = append(list, map[string]any{"@odata.type": "#microsoft.graph.user", "id": "user-" + name, "displayName": nil, "userPrincipalName": name})
		}
		app["owners"] = list
	}
	return app
}

// skipMark begins the tokens of pages, which nobody but this server can read.
const skipMark = "RFNwdAIAAQ"

// graphWindow reads which part of a collection is asked for.
func graphWindow(query url.Values) (from, top int, ok bool) {
	top = graphPage
	if text := query.Get("$top"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > graphPageMax {
			return 0, 0, false
		}
		top = n
	}
	if !query.Has("$skiptoken") {
		return 0, top, true
	}
	text, marked := strings.CutPrefix(query.Get("$skiptoken"), skipMark)
	from, err := strconv.Atoi(text)
	return from, top, marked && err == nil && from >= 0
}

// graphNext is the address of the next page: that of this one, with a token.
func graphNext(r *http.Request, from int) string {
	query := r.URL.Query()
	query.Set("$skiptoken", skipMark+strconv.Itoa(from))
	return "http://" + r.Host + r.URL.Path + "?" + query.Encode()
}
