package sandbox_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// lightPortal is a portal that is asked as by a person with curl.
type lightPortal struct {
	*testing.T
	*sandbox.LightAPI

	now  time.Time
	base string
}

func newLightPortal(t *testing.T, s sandbox.LightAPISettings) *lightPortal {
	t.Helper()
	p := &lightPortal{T: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	s.Token = admin
	p.LightAPI = sandbox.NewLightAPI(func() time.Time { return p.now }, s)
	for _, c := range []sandbox.LightAPIClient{
		{ClientID: "c", Secret: "s0", Position: "owner"}, {ClientID: "boss", Secret: "s", Admin: true}, {ClientID: "d"},
	} {
		if err := p.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(p.Handler())
	t.Cleanup(server.Close)
	p.base = server.URL
	return p
}

// ask sends a request and decodes a JSON answer.
func (p *lightPortal) ask(method, path, token, body string) (status int, reply any) {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, p.base+path, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(body, "grant_type") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || json.Unmarshal(raw, &reply) != nil {
		p.Fatalf("%q: %v", raw, err)
	}
	return resp.StatusCode, reply
}

// member follows names through objects.
func member(value any, names ...string) any {
	for _, name := range names {
		o, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = o[name]
	}
	return value
}

func (p *lightPortal) login(id, secret string) int {
	p.Helper()
	status, _ := p.ask(http.MethodPost, sandbox.PathLightOAuth, "",
		"grant_type=client_credentials&client_id="+url.QueryEscape(id)+"&client_secret="+url.QueryEscape(secret))
	return status
}

func (p *lightPortal) query(action, data string) (status int, reply any) {
	p.Helper()
	cmd := `{"host":"lightapi.net","service":"oauth","action":"` + action + `","version":"0.1.0","data":` + data + `}`
	return p.ask(http.MethodGet, "/portal/query?cmd="+url.QueryEscape(cmd), admin, "")
}

func (p *lightPortal) regenerate(data string) (status int, reply any) {
	p.Helper()
	return p.ask(http.MethodPost, "/portal/command", admin,
		`{"jsonrpc":"2.0","method":"lightapi.net/oauth/regenerateClientSecret/0.1.0","params":`+data+`,"id":"1"}`)
}

func TestLightAPIRegeneratesAtTheVersionThatItHas(t *testing.T) {
	p := newLightPortal(t, sandbox.LightAPISettings{})
	if err := p.Update("c"); err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]int{
		`{"hostId":"host","clientId":"c","aggregateVersion":1}`: 400, `{"hostId":"host","clientId":"c"}`: 400,
		`{"hostId":"other","clientId":"c","aggregateVersion":2}`: 404, `{"hostId":"host","clientId":"x","aggregateVersion":2}`: 404,
	} {
		if status, reply := p.regenerate(data); status != want || member(reply, "error", "code") == nil {
			t.Errorf("%s: HTTP %d %v", data, status, reply)
		}
	}
	status, reply := p.regenerate(`{"hostId":"host","clientId":"c","aggregateVersion":2,"reason":"leaked","ownerPositionId":"o"}`)
	value, _ := member(reply, "result", "clientSecret").(string)
	if status != 200 || value == "" || member(reply, "result", "aggregateVersion") != 3.0 {
		t.Fatalf("HTTP %d %v", status, reply)
	}
	if old, fresh := p.login("c", "s0"), p.login("c", value); old != 401 || fresh != 200 {
		t.Errorf("old %d, new %d", old, fresh)
	}
	events := p.Events("c")
	if last := events[2]; len(events) != 3 || last.Reason != "leaked" || last.Position != "o" || last.Version != 3 || p.Regenerated("c") != 1 {
		t.Errorf("%+v", events)
	}
	if !p.Accepts("c", credential.NewSensitive(value)) || p.Accepts("c", credential.NewSensitive("s0")) || p.Accepts("x", credential.NewSensitive("s0")) {
		t.Error("the portal itself says otherwise")
	}
}

// TestLightAPIProjectionIsBehind: the fresh version is the event store's, all else is the projection's.
func TestLightAPIProjectionIsBehind(t *testing.T) {
	p := newLightPortal(t, sandbox.LightAPISettings{Lag: time.Minute, Shown: true})
	_, before := p.query("getFreshClient", `{"hostId":"host","clientId":"c"}`)
	value, err := p.Regenerate("c")
	if err != nil {
		t.Fatal(err)
	}
	const filter = `{"hostId":"host","filters":"[{\"id\":\"clientId\",\"value\":\"c\"}]"}`
	look := func() (fresh, listed, verifier any) {
		_, one := p.query("getFreshClient", `{"hostId":"host","clientId":"c"}`)
		_, list := p.query("getClient", filter)
		rows, _ := member(list, "clients").([]any)
		if len(rows) != 1 {
			t.Fatalf("%v", list)
		}
		return member(one, "aggregateVersion"), member(rows[0], "aggregateVersion"), member(rows[0], "clientSecret")
	}
	fresh, listed, verifier := look()
	if fresh != 2.0 || listed != 1.0 || verifier != member(before, "clientSecret") || p.login("c", "s0") != 200 || p.login("c", value) != 401 {
		t.Errorf("behind: %v %v", fresh, listed)
	}
	p.now = p.now.Add(time.Minute)
	fresh, listed, verifier = look()
	if fresh != 2.0 || listed != 2.0 || verifier == member(before, "clientSecret") || p.login("c", "s0") != 401 || p.login("c", value) != 200 {
		t.Errorf("afterwards: %v %v", fresh, listed)
	}
}

func TestLightAPICachesWhatItHasLookedUp(t *testing.T) {
	p := newLightPortal(t, sandbox.LightAPISettings{Cache: time.Minute})
	p.login("c", "a wrong one") // looks the client up as well
	value, err := p.Regenerate("c")
	if err != nil {
		t.Fatal(err)
	}
	if old, fresh := p.login("c", "s0"), p.login("c", value); old != 200 || fresh != 401 {
		t.Errorf("cached: old %d, new %d", old, fresh)
	}
	p.now = p.now.Add(time.Minute)
	if old, fresh := p.login("c", "s0"), p.login("c", value); old != 401 || fresh != 200 {
		t.Errorf("afterwards: old %d, new %d", old, fresh)
	}
}

func TestLightAPIFormsOfAnswers(t *testing.T) {
	p := newLightPortal(t, sandbox.LightAPISettings{Text: true, Inside: true, Legacy: true})
	status, reply := p.query("getFreshClient", `{"hostId":"host","clientId":"x"}`)
	if status != 200 || member(reply, "error", "statusCode") != 404.0 {
		t.Errorf("HTTP %d %v", status, reply)
	}
	_, reply = p.ask(http.MethodPost, "/portal/command", admin, `{"host":"lightapi.net","service":"oauth","action":"regenerateClientSecret",`+
		`"version":"0.1.0","data":{"hostId":"host","clientId":"c","aggregateVersion":1}}`)
	if text, ok := reply.(string); !ok || !strings.Contains(text, `"clientSecret"`) {
		t.Errorf("%v", reply)
	}
	if _, reply := p.regenerate(`{"hostId":"host","clientId":"c","aggregateVersion":2}`); member(reply, "error", "statusCode") != 404.0 {
		t.Errorf("an older portal takes JSON-RPC: %v", reply)
	}
}

func TestLightAPIRefuses(t *testing.T) {
	p := newLightPortal(t, sandbox.LightAPISettings{})
	if status, _ := p.ask(http.MethodGet, "/portal/query?cmd=x", "", ""); status != 401 {
		t.Errorf("without a token: HTTP %d", status)
	}
	if status, _ := p.ask(http.MethodGet, "/portal/query?cmd=x", admin, ""); status != 400 {
		t.Errorf("a query that is none: HTTP %d", status)
	}
	if status, _ := p.query("deleteClient", `{}`); status != 404 {
		t.Errorf("another action: HTTP %d", status)
	}
	_, reply := p.ask(http.MethodPost, sandbox.PathLightOAuth, "", "grant_type=client_credentials&client_id=boss&client_secret=s")
	token, _ := member(reply, "access_token").(string)
	if status, _ := p.ask(http.MethodGet, "/portal/query?cmd=x", token, ""); status != 400 {
		t.Errorf("with a token of its own client: HTTP %d", status)
	}
	if status, _ := p.ask(http.MethodPost, sandbox.PathLightOAuth, "", "grant_type=authorization_code&client_id=c&client_secret=s0"); status != 400 {
		t.Errorf("another grant: HTTP %d", status)
	}
	if err := p.Deactivate("c", true); err != nil {
		t.Fatal(err)
	}
	if status, _ := p.regenerate(`{"hostId":"host","clientId":"c","aggregateVersion":1}`); status != 400 || p.login("c", "s0") != 404 {
		t.Errorf("inactive: HTTP %d", status)
	}
	if err := p.Update("x"); !errors.Is(err, sandbox.ErrNoClient) {
		t.Errorf("error %v", err)
	}
	if err := p.Register(sandbox.LightAPIClient{ClientID: "c"}); !errors.Is(err, sandbox.ErrDuplicate) {
		t.Errorf("error %v", err)
	}
	if p.Events("x") != nil {
		t.Error("nobody has events")
	}
}
