package sandbox_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

func TestTokenEndpoint(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "any", Secret: "s 1+%"})
	w.register(sandbox.Registration{ClientID: "basic", Secret: "s", Auth: "basic"})
	w.register(sandbox.Registration{ClientID: "post", Secret: "s", Auth: "post"})
	w.register(sandbox.Registration{ClientID: "user", Secret: "s", NoGrant: true})
	w.register(sandbox.Registration{ClientID: "off", Secret: "s", Disabled: true})
	const cc, ac = "client_credentials", "authorization_code"
	for name, test := range map[string]struct {
		id, secret, basic, grant, code string
		status                         int
		err                            string
	}{
		"post is accepted":                       {id: "any", secret: "s 1+%", grant: cc, status: 200},
		"basic is decoded as RFC 6749 wants it":  {id: "any", basic: "s+1%2B%25", grant: cc, status: 200},
		"a wrong secret":                         {id: "any", secret: "x", grant: cc, status: 401, err: "invalid_client"},
		"an unknown client":                      {id: "none", secret: "x", grant: cc, status: 401, err: "invalid_client"},
		"a disabled client":                      {id: "off", secret: "s", grant: cc, status: 401, err: "invalid_client"},
		"post at a client that wants basic":      {id: "basic", secret: "s", grant: cc, status: 401, err: "invalid_client"},
		"basic at a client that wants post":      {id: "post", basic: "s", grant: cc, status: 401, err: "invalid_client"},
		"a grant that is not allowed":            {id: "user", secret: "s", grant: cc, status: 400, err: "unauthorized_client"},
		"a bogus code with the right secret":     {id: "user", secret: "s", grant: ac, code: "x", status: 400, err: "invalid_grant"},
		"a bogus code with a wrong secret":       {id: "user", secret: "x", grant: ac, code: "x", status: 401, err: "invalid_client"},
		"no code":                                {id: "user", secret: "s", grant: ac, status: 400, err: "invalid_request"},
		"no grant type":                          {id: "any", secret: "s 1+%", status: 400, err: "invalid_request"},
		"another grant type":                     {id: "any", secret: "s 1+%", grant: "password", status: 400, err: "unsupported_grant_type"},
		"no credentials":                         {grant: cc, status: 400, err: "invalid_request"},
		"credentials in header and form at once": {id: "any", basic: "s", secret: "s", grant: cc, status: 400, err: "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			pairs := []string{"grant_type", test.grant, "code", test.code}
			if test.secret != "" {
				pairs = append(pairs, "client_id", test.id, "client_secret", test.secret)
			}
			r := w.form(sandbox.PathToken, pairs...)
			if test.basic != "" {
				r.SetBasicAuth(test.id, test.basic)
			}
			status, body := w.call(r)
			if code, _ := body["error"].(string); status != test.status || code != test.err {
				t.Errorf("HTTP %d %q, want %d %q", status, code, test.status, test.err)
			}
			if token, _ := body["access_token"].(string); (token != "") != (test.status == 200) {
				t.Errorf("access token present: %v", token != "")
			}
		})
	}
}

func TestIntrospectionTellsOnlyWhetherTheClientMayAsk(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "s"})
	for secret, want := range map[string]int{"s": http.StatusOK, "x": http.StatusUnauthorized} {
		status, body := w.call(w.form(sandbox.PathIntrospect, "token", "junk", "client_id", "c", "client_secret", secret))
		if status != want {
			t.Errorf("HTTP %d, want %d", status, want)
		}
		if active, ok := body["active"].(bool); status == http.StatusOK && (!ok || active) {
			t.Errorf("active = %v", body["active"])
		}
	}
}

func TestAnotherContentTypeIsRefused(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	r := w.request(http.MethodPost, sandbox.PathToken, `{"grant_type":"client_credentials"}`)
	r.Header.Set("Content-Type", "application/json")
	if status, _ := w.call(r); status != http.StatusBadRequest {
		t.Errorf("HTTP %d", status)
	}
}

func TestLoginsNameTheVersion(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "first", TTL: 24 * time.Hour})
	first := w.idp.Secrets("c")[0].ID
	w.expectLogin("c", "first", 200)
	w.expectLogin("c", "never", 401)
	second, value, err := w.idp.Issue("c", sandbox.Issue{KeepOld: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	w.expectLogin("c", value, 200)
	w.expectLogin("c", "first", 200)
	w.advance(time.Hour)
	w.expectLogin("c", "first", 401)
	want := map[string]sandbox.Count{first: {Accepted: 2, Refused: 1}, second: {Accepted: 1}, "": {Refused: 1}}
	got := w.idp.Counts("c")
	for id, count := range want {
		if got[id] != count {
			t.Errorf("version %q: %+v, want %+v", id, got[id], count)
		}
	}
	logins := w.idp.Logins("c")
	last := logins[len(logins)-1]
	if len(logins) != 5 || last.Secret != first || last.Accepted || !last.At.Equal(w.now()) {
		t.Errorf("%d logins, the last is %+v", len(logins), last)
	}
}

func TestTheRingOfLoginsKeepsTheLast(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "s"})
	bundle := bundleOf("c", "s")
	for range 300 {
		if _, err := w.idp.Login(t.Context(), bundle); err != nil {
			t.Fatal(err)
		}
		w.advance(time.Second)
	}
	logins := w.idp.Logins("c")
	from, to := w.now().Add(-256*time.Second), w.now().Add(-time.Second)
	if len(logins) != 256 || !logins[0].At.Equal(from) || !logins[255].At.Equal(to) {
		t.Errorf("%d logins from %v to %v", len(logins), logins[0].At, logins[len(logins)-1].At)
	}
	if n := w.idp.Counts("c")[w.idp.Secrets("c")[0].ID].Accepted; n != 300 {
		t.Errorf("counted %d", n)
	}
}

func TestAnExpiredSecretIsRefused(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "s", TTL: time.Hour})
	w.expectLogin("c", "s", 200)
	w.advance(time.Hour)
	w.expectLogin("c", "s", 401)
	if live := w.idp.Live("c"); len(live) != 0 {
		t.Errorf("live: %v", live)
	}
	if why := w.idp.Logins("c")[1].Why; why != "expired" {
		t.Errorf("why = %q", why)
	}
}

func TestATokenOfAnAdminClientOpensTheAdminAPI(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "rotad", Secret: "s", Admin: true})
	w.register(sandbox.Registration{ClientID: "plain", Secret: "s"})
	for id, want := range map[string]int{"rotad": 200, "plain": 401} {
		_, body := w.call(w.form(sandbox.PathToken,
			"grant_type", "client_credentials", "client_id", id, "client_secret", "s"))
		token, _ := body["access_token"].(string)
		r := w.request(http.MethodGet, sandbox.PathTelicent+"/clients/plain/secret", "")
		r.Header.Set("Authorization", "Bearer "+token)
		if status, _ := w.call(r); status != want {
			t.Errorf("%s: HTTP %d, want %d", id, status, want)
		}
		w.advance(time.Hour)
		r = w.request(http.MethodGet, sandbox.PathTelicent+"/clients/plain/secret", "")
		r.Header.Set("Authorization", "Bearer "+token)
		if status, _ := w.call(r); status != 401 {
			t.Errorf("%s: HTTP %d with an expired token", id, status)
		}
	}
}
