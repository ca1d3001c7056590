package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// TenantSettings are what a stand-in for a whole tenant of Graph works with.
type TenantSettings struct {
	Size     int           // applications
	Throttle int           // every n-th page is answered with 429 first; 0 = none is
	Wait     time.Duration // what that answer asks for, in whole seconds
	// Change alters an application before it is shown; nil = nothing is altered.
	Change func(i int, a *TenantApp)
}

// TenantApp is one application of a tenant.
type TenantApp struct {
	ID, Name string
	Owner    string
	Tags     []string
	Secrets  []TenantSecret
}

// TenantSecret is one of its passwords.
type TenantSecret struct {
	ID, Label  string
	Start, End time.Time
}

// Tenant is a stand-in for the applications of a large tenant, read through Graph. None of them is kept: each is made when it
// is shown, always the same. Whatever would change one is refused, and counted. It is safe for concurrent use.
type Tenant struct {
	now      func() time.Time
	settings TenantSettings

	mu       sync.Mutex
	requests map[string]int // by method and sort
	pages    int
	held     bool // the page at hand has been throttled already
}

// NewTenant returns a tenant. now is its clock.
func NewTenant(now func() time.Time, s TenantSettings) *Tenant {
	return &Tenant{now: now, settings: s, requests: map[string]int{}}
}

// Requests returns how many requests of a sort there were: "list", "look", "login", "change".
func (t *Tenant) Requests(sort string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.requests[sort]
}

func (t *Tenant) count(sort string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests[sort]++
}

// Handler serves the tenant below the paths of the other dialect of Graph.
func (t *Tenant) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathLogin+"/{tenant}/oauth2/v2.0/token", func(w http.ResponseWriter, _ *http.Request) {
		t.count("login")
		answer(w, http.StatusOK, tokenReply{AccessToken: "a-token-of-the-tenant", TokenType: "Bearer", ExpiresIn: 3600})
	})
	mux.HandleFunc("GET "+PathGraph+"/applications", t.list)
	mux.HandleFunc("GET "+PathGraph+"/{call}", t.look)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.count("change")
		answer(w, http.StatusForbidden, GraphError("Authorization_RequestDenied", "Insufficient privileges to complete the operation.", "r", t.now()))
	})
	return mux
}

// throttled says whether the page that is asked for has to wait this time.
func (t *Tenant) throttled() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.settings.Throttle > 0 && !t.held && t.pages%t.settings.Throttle == t.settings.Throttle-1 {
		t.held = true
		return true
	}
	t.held = false
	t.pages++
	return false
}

func (t *Tenant) list(w http.ResponseWriter, r *http.Request) {
	t.count("list")
	from, top, ok := graphWindow(r.URL.Query())
	if !ok {
		answer(w, http.StatusBadRequest, GraphError("Directory_ExpiredPageToken", "The specified page token value has expired.", "r", t.now()))
		return
	}
	if t.throttled() {
		w.Header().Set("Retry-After", strconv.Itoa(int(t.settings.Wait.Seconds())))
		answer(w, http.StatusTooManyRequests, GraphError("TooManyRequests", "Too many requests.", "r", t.now()))
		return
	}
	body := make([]byte, 0, 1<<20)
	body = append(body, `{"value":[`...)
	to := min(from+top, t.settings.Size)
	for i := from; i < to; i++ {
		if i > from {
			body = append(body, ',')
		}
		body = t.App(i).append(body)
	}
	body = append(body, ']')
	if to < t.settings.Size {
		body = fmt.Appendf(body, `,"@odata.nextLink":%q`, graphNext(r, to))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '}'))
}

// look shows one application by its appId.
func (t *Tenant) look(w http.ResponseWriter, r *http.Request) {
	t.count("look")
	id := strings.TrimSuffix(strings.TrimPrefix(r.PathValue("call"), "applications(appId='"), "')")
	text, _, _ := strings.Cut(id, "-")
	i, err := strconv.ParseUint(text, 16, 32)
	if err != nil || int(i) >= t.settings.Size || t.App(int(i)).ID != id {
		answer(w, http.StatusNotFound, GraphError("Request_ResourceNotFound", "Resource does not exist.", "r", t.now()))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(t.App(int(i)).append(nil))
}

// began is when the applications of every tenant began.
var began = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// App makes the i-th application. Of a hundred, one lives for 99 years, two have a second secret that was left behind, and
// ten have none at all.
func (t *Tenant) App(i int) TenantApp {
	a := TenantApp{
		ID: fmt.Sprintf("%08x-5a5a-4000-8000-%012x", i, i), Name: fmt.Sprintf("app-%07d", i), Owner: fmt.Sprintf("team-%d@example.com", i%10),
		Tags: []string{fmt.Sprintf("cost-%d", i%7)},
	}
	start := began.Add(time.Duration(i%300) * day)
	end := start.Add(730 * day)
	if i%100 == 50 {
		end = start.AddDate(99, 0, 0)
	}
	if i%10 != 9 {
		a.Secrets = append(a.Secrets, TenantSecret{fmt.Sprintf("%08x-0001-4000-8000-000000000000", i), "", start, end})
	}
	if i%50 == 25 {
		a.Secrets = append(a.Secrets, TenantSecret{fmt.Sprintf("%08x-0002-4000-8000-000000000000", i), "by hand", start.Add(100 * day), end.Add(100 * day)})
	}
	if t.settings.Change != nil {
		t.settings.Change(i, &a)
	}
	return a
}

// append writes an application as Graph does.
func (a TenantApp) append(b []byte) []byte {
	b = fmt.Appendf(b, `{"id":"o%s","appId":%q,"displayName":%q,"createdDateTime":%q,"signInAudience":"AzureADMyOrg","tags":[`,
		a.ID, a.ID, a.Name, began.Format(time.RFC3339))
	for i, tag := range a.Tags {
		b = separated(b, i)
		b = fmt.Appendf(b, "%q", tag)
	}
	b = fmt.Appendf(b, `],"owners":[{"@odata.type":"#microsoft.graph.user","id":"u","userPrincipalName":%q}],"passwordCredentials":[`, a.Owner)
	for i, s := range a.Secrets {
		b = separated(b, i)
		b = fmt.Appendf(b, `{"customKeyIdentifier":null,"displayName":%q,"endDateTime":%q,"hint":"abc","keyId":%q,"secretText":null,"startDateTime":%q}`,
			s.Label, s.End.Format(time.RFC3339), s.ID, s.Start.Format(time.RFC3339))
	}
	return append(b, "]}"...)
}

func separated(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}
