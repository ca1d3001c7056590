package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

// cloud is an organisation of OutSystems Developer Cloud, asked as by a person with curl.
type cloud struct {
	*world
	odc *sandbox.ODC
}

func newCloud(t *testing.T, s sandbox.ODCSettings) *cloud {
	t.Helper()
	w := &world{t: t, at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), faults: sandbox.NewFaults(time.After)}
	odc := sandbox.NewODC(w.now, sandbox.Settings{AdminToken: admin}, s)
	w.idp = odc.IdP
	server := httptest.NewServer(w.faults.Wrap(odc.Handler()))
	t.Cleanup(server.Close)
	w.url = server.URL
	w.register(sandbox.Registration{ClientID: "c", Secret: "old"})
	return &cloud{w, odc}
}

const rotateODC = sandbox.PathODCClients + "c/secrets/rotate"

// odcLogin tries a secret at the endpoint that discovery names.
func (c *cloud) odcLogin(secret string, want int) {
	c.t.Helper()
	_, found := c.call(c.request(http.MethodGet, sandbox.PathODCDiscovery, ""))
	endpoint, _ := found["token_endpoint"].(string)
	status, _ := c.call(c.form(strings.TrimPrefix(endpoint, c.url), "grant_type", "client_credentials", "client_id", "c", "client_secret", secret))
	if status != want {
		c.t.Errorf("login: HTTP %d, want %d", status, want)
	}
}

func TestODCOfTodayHasNoEndpoint(t *testing.T) {
	for set, want := range map[int]int{0: 404, 405: 405, 501: 501} {
		c := newCloud(t, sandbox.ODCSettings{Absent: set})
		for _, method := range []string{http.MethodPost, http.MethodOptions} {
			if status, _ := c.api(method, rotateODC, ""); status != want {
				t.Errorf("%s: HTTP %d, want %d", method, status, want)
			}
		}
		c.odcLogin("old", 200)
		c.odc.Appear()
		if status, _ := c.api(http.MethodOptions, rotateODC, ""); status != 204 {
			t.Errorf("an endpoint that has appeared: HTTP %d", status)
		}
		if status, _ := c.call(c.form("/auth/realms/other/protocol/openid-connect/token", "client_id", "c", "client_secret", "old")); status != 401 {
			t.Errorf("another realm: HTTP %d", status)
		}
	}
}

func TestODCRotatesWithAndWithoutAnOverlap(t *testing.T) {
	for body, old := range map[string]int{"": 401, `{"overlap_hours":24}`: 200} {
		c := newCloud(t, sandbox.ODCSettings{API: true})
		status, reply := c.api(http.MethodPost, rotateODC, body)
		value, _ := reply["new_secret"].(string)
		if status != 200 || reply["valid_from"] != "2026-03-01T12:00:00Z" || reply["expires_at"] != "2026-05-30T12:00:00Z" {
			t.Errorf("HTTP %d, from %v to %v", status, reply["valid_from"], reply["expires_at"])
		}
		c.odcLogin(value, 200)
		c.odcLogin("old", old)
		c.advance(24 * time.Hour)
		c.odcLogin("old", 401)
		c.odcLogin(value, 200)
	}
}

func TestODCMakesASecretForLater(t *testing.T) {
	c := newCloud(t, sandbox.ODCSettings{API: true, Ahead: time.Hour, Epoch: true})
	_, reply := c.api(http.MethodPost, rotateODC, "")
	value, _ := reply["new_secret"].(string)
	if reply["valid_from"] != float64(c.now().Add(time.Hour).Unix()) {
		t.Errorf("from %v", reply["valid_from"])
	}
	c.odcLogin(value, 401)
	c.odcLogin("old", 200)
	c.advance(time.Hour)
	c.odcLogin(value, 200)
	c.odcLogin("old", 401)
}

func TestODCRefuses(t *testing.T) {
	c := newCloud(t, sandbox.ODCSettings{API: true})
	for _, test := range []struct {
		method, path, body string
		want               int
	}{
		{http.MethodPost, sandbox.PathODCClients + "nobody/secrets/rotate", "", 404},
		{http.MethodPost, rotateODC, `{"overlap_hours":23}`, 400},
		{http.MethodPost, rotateODC, `{"overlap_hours":73}`, 400},
		{http.MethodPost, rotateODC, `{`, 400},
		{http.MethodGet, rotateODC, "", 405},
		{http.MethodOptions, rotateODC, "", 204},
	} {
		if status, _ := c.api(test.method, test.path, test.body); status != test.want {
			t.Errorf("%s %s %s: HTTP %d, want %d", test.method, test.path, test.body, status, test.want)
		}
	}
	if status, _ := c.call(c.request(http.MethodPost, rotateODC, "")); status != 401 {
		t.Errorf("without a token: HTTP %d", status)
	}
	if made := c.odc.Made("c"); made != 1 {
		t.Errorf("%d secrets were made", made-1)
	}
	fixed := newCloud(t, sandbox.ODCSettings{API: true, Fixed: true})
	if status, _ := fixed.api(http.MethodPost, rotateODC, `{"overlap_hours":24}`); status != 400 {
		t.Errorf("an endpoint that takes no overlap: HTTP %d", status)
	}
}
