package sandbox_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// plane is a control plane with the application "shop".
type plane struct {
	*world
	*sandbox.Rover
}

func newPlane(t *testing.T, s sandbox.RoverSettings, a sandbox.RoverApp) plane {
	t.Helper()
	p := plane{world: &world{t: t, at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	s.TeamSecret = admin
	p.Rover = sandbox.NewRover(p.now, s)
	a.Name, a.Secret = "shop", "first"
	if err := p.Register(a); err != nil {
		t.Fatal(err)
	}
	p.faults = sandbox.NewFaults(time.After)
	server := httptest.NewServer(p.faults.Wrap(p.Handler()))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

const shop = "eni--hyperion--shop"

// ask sends a request with the team's token.
func (p plane) ask(method, path string) (int, map[string]any) {
	p.t.Helper()
	r := p.request(method, sandbox.PathRover+"/rovers/"+path, "")
	r.Header.Set("Authorization", "Bearer "+p.TeamToken())
	return p.call(r)
}

func (p plane) status() map[string]any {
	p.t.Helper()
	status, body := p.ask(http.MethodGet, shop+"/secret/status")
	if status != http.StatusOK {
		p.t.Fatalf("HTTP %d", status)
	}
	return body
}

func (p plane) login(id, secret string) int {
	p.t.Helper()
	status, _ := p.call(p.form(sandbox.PathRoverToken, "grant_type", "client_credentials", "client_id", id, "client_secret", secret))
	return status
}

func (p plane) expectLogins(want map[string]int) {
	p.t.Helper()
	for secret, want := range want {
		if got := p.login(shop, secret); got != want {
			p.t.Errorf("HTTP %d, want %d", got, want)
		}
		if got := p.Accepts("shop", credential.NewSensitive(secret)); got != (want == http.StatusOK) {
			p.t.Errorf("accepted: %t", got)
		}
	}
}

func TestRoverRotatesSomeTimeAfterItWasAsked(t *testing.T) {
	p := newPlane(t, sandbox.RoverSettings{Lag: 2 * time.Second, Converge: 3 * time.Second}, sandbox.RoverApp{})
	before := p.status()
	status, reply := p.ask(http.MethodPatch, shop+"/secret")
	if links, _ := reply["_links"].(map[string]any); status != 202 || links["status"] != "/rovers/"+shop+"/secret/status" || reply["clientId"] != shop {
		t.Errorf("HTTP %d, %v", status, reply)
	}
	if now := p.status(); now["overallStatus"] != "complete" || now["clientSecret"] != before["clientSecret"] {
		t.Errorf("before the controller has seen it: %v", now["overallStatus"])
	}
	if status, _ = p.ask(http.MethodPatch, shop+"/secret"); status != 202 {
		t.Errorf("the same wish again: HTTP %d", status)
	}
	p.advance(2 * time.Second)
	if now := p.status(); now["overallStatus"] != "processing" || now["clientId"] != "" || now["clientSecret"] != nil {
		t.Errorf("while the controller works: %v", now)
	}
	if status, reply = p.ask(http.MethodPatch, shop+"/secret"); status != 409 || reply["title"] != "Secret rotation already in progress" {
		t.Errorf("while the controller works: HTTP %d, %v", status, reply)
	}
	p.advance(3 * time.Second)
	after := p.status()
	second, _ := after["clientSecret"].(string)
	if after["overallStatus"] != "complete" || second == "first" || after["rotatedClientSecret"] != "first" || p.Made("shop") != 1 {
		t.Errorf("%v, %d made", after["overallStatus"], p.Made("shop"))
	}
	if after["rotatedExpiresAt"] != "2026-03-08T12:00:05Z" || after["currentExpiresAt"] != "2026-05-30T12:00:05Z" {
		t.Errorf("%v, %v", after["rotatedExpiresAt"], after["currentExpiresAt"])
	}
	p.expectLogins(map[string]int{"first": 200, second: 200, "wrong": 401})
	p.ask(http.MethodPatch, shop+"/secret") // within the grace: not refused, and the first one is lost
	p.advance(5 * time.Second)
	p.expectLogins(map[string]int{"first": 401, second: 200})
	p.advance(7 * 24 * time.Hour)
	p.expectLogins(map[string]int{second: 401})
	p.advance(90 * 24 * time.Hour)
	third, _ := p.status()["clientSecret"].(string)
	p.expectLogins(map[string]int{third: 401}) // expired
}

func TestRoverGivesTheFirstSecretALifeOfItsOwn(t *testing.T) {
	p := newPlane(t, sandbox.RoverSettings{Expiration: 2 * time.Hour}, sandbox.RoverApp{TTL: time.Hour})
	if now := p.status(); now["currentExpiresAt"] != "2026-03-01T13:00:00Z" {
		t.Errorf("%v", now["currentExpiresAt"])
	}
	p.ask(http.MethodPatch, shop+"/secret")
	if now := p.status(); now["currentExpiresAt"] != "2026-03-01T14:00:00Z" {
		t.Errorf("%v", now["currentExpiresAt"])
	}
	if err := p.Register(sandbox.RoverApp{Name: "other"}); err != nil || p.Accepts("other", credential.NewSensitive("first")) {
		t.Errorf("a random first secret is a known one (%v)", err)
	}
}

func TestRoverCutsOverWhereNothingIsKept(t *testing.T) {
	for name, test := range map[string]struct {
		app   sandbox.RoverApp
		shown any // as the replaced one
	}{
		"a zone without the feature": {sandbox.RoverApp{Off: true}, nil},
		"a client that opts out":     {sandbox.RoverApp{OptOut: true}, "first"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlane(t, sandbox.RoverSettings{}, test.app)
			p.ask(http.MethodPatch, shop+"/secret")
			now := p.status()
			if now["rotatedClientSecret"] != test.shown || now["rotatedExpiresAt"] != nil || now["currentExpiresAt"] != nil {
				t.Errorf("%v", now)
			}
			second, _ := now["clientSecret"].(string)
			p.expectLogins(map[string]int{"first": 401, second: 200})
		})
	}
	p := newPlane(t, sandbox.RoverSettings{}, sandbox.RoverApp{})
	p.Change("shop", func(a *sandbox.RoverApp) { a.Off = true })
	p.Change("nobody", func(*sandbox.RoverApp) { t.Error("there is no such application") })
	p.ask(http.MethodPatch, shop+"/secret")
	p.expectLogins(map[string]int{"first": 401})
}

func TestRoverStalls(t *testing.T) {
	p := newPlane(t, sandbox.RoverSettings{Converge: time.Second}, sandbox.RoverApp{})
	p.Stall("shop", true)
	p.ask(http.MethodPatch, shop+"/secret")
	p.advance(time.Hour)
	if now := p.status(); now["clientSecret"] != "first" || p.Made("shop") != 1 {
		t.Errorf("%v, %d made or to be made", now["overallStatus"], p.Made("shop"))
	}
	p.Stall("shop", false)
	if now := p.status(); now["overallStatus"] != "processing" {
		t.Errorf("%v", now["overallStatus"])
	}
	p.advance(time.Second)
	if now := p.status(); now["clientSecret"] == "first" {
		t.Error("it goes on, and has not rotated")
	}
}

func TestRoverSpeaksAsOlderBuildsDo(t *testing.T) {
	p := newPlane(t, sandbox.RoverSettings{OldNames: true, ZeroTimes: true}, sandbox.RoverApp{})
	if now := p.status(); now["currentSecretValue"] != "first" || now["rotatedExpiresAt"] != "0001-01-01T00:00:00Z" {
		t.Errorf("%v", now)
	}
	p = newPlane(t, sandbox.RoverSettings{Hidden: true}, sandbox.RoverApp{})
	if now := p.status(); now["clientSecret"] != nil || now["overallStatus"] != "complete" {
		t.Errorf("%v", now)
	}
	p = newPlane(t, sandbox.RoverSettings{NoStatus: true}, sandbox.RoverApp{})
	if status, _ := p.ask(http.MethodGet, shop+"/secret/status"); status != 404 {
		t.Errorf("HTTP %d", status)
	}
}

func TestRoverRefuses(t *testing.T) {
	p := newPlane(t, sandbox.RoverSettings{}, sandbox.RoverApp{})
	if status, body := p.ask(http.MethodPatch, "eni--hyperion--none/secret"); status != 404 || body["type"] != "NotFound" {
		t.Errorf("HTTP %d, %v", status, body)
	}
	if status, _ := p.call(p.request(http.MethodPatch, sandbox.PathRover+"/rovers/"+shop+"/secret", "")); status != 401 {
		t.Errorf("without a token: HTTP %d", status)
	}
	r := p.request(http.MethodGet, sandbox.PathRover+"/rovers/"+shop+"/info", "")
	r.Header.Set("Authorization", "Bearer "+p.TeamToken())
	p.advance(5 * time.Minute)
	if status, _ := p.call(r); status != 401 {
		t.Errorf("with a token that has expired: HTTP %d", status)
	}
	if p.Made("shop") != 0 || !errors.Is(p.Register(sandbox.RoverApp{Name: "shop"}), sandbox.ErrDuplicate) {
		t.Error("made one, or took a name twice")
	}
	for id, want := range map[string]int{"eni--hyperion": 200, "nobody": 401} {
		if got := p.login(id, admin); got != want {
			t.Errorf("%s: HTTP %d, want %d", id, got, want)
		}
	}
	_, body := p.ask(http.MethodGet, shop+"/info")
	apps, _ := body["applications"].([]any)
	app, _ := apps[0].(map[string]any)
	if endpoint, _ := app["irisTokenEndpointUrl"].(string); endpoint != p.url+sandbox.PathRoverToken || !strings.HasSuffix(p.ClientID("shop"), "--shop") {
		t.Errorf("%v", app)
	}
}
