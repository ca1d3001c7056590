package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

func TestTheWordForNoExpiryHasAnEndWithinTwoYears(t *testing.T) {
	credentials(t)
	now := func() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }
	for until, wrong := range map[string]bool{
		"2026-11-30": false, "2028-11-29": false, "2028-11-29T12:00:00Z": false, "2028-11-29T12:00:01Z": true, "2028-11-30": true, "2036-01-01": true,
		"2020-01-01": false, // it has ended, and people are told so: no reason not to start
	} {
		text := small + fmt.Sprintf("\nclients:\n  - id: a\n    provider: portal\n    ref: {client_id: a}\n    owner: team\n    vault: {path: a}\n"+
			"    no_expiry: {acknowledged_by: anna, reason: hardware, until: %s}\n", until)
		c, problems := loadText(t, text, config.At(now))
		if got := strings.Contains(problems.String(), "no_expiry.until: is more than two years away"); got != wrong || (c == nil) != wrong {
			t.Errorf("%s: refused %t, want %t: %s", until, got, wrong, problems)
		}
		if c == nil {
			continue
		}
		if word := c.Clients[0].NoExpiry; word.By != "anna" || word.Reason != "hardware" || word.Until.IsZero() {
			t.Errorf("%s: read as %+v", until, word)
		}
		later := c.Clients[0]
		later.NoExpiry.Until = now().AddDate(2, 0, 1)
		if len(c.CheckClient(later).Errors()) == 0 {
			t.Error("a client that is registered later may have an end that is further away")
		}
	}
}

func TestTheWordForNoExpiryIsWhole(t *testing.T) {
	c := mustLoad(t, small)
	full := credential.NoExpiry{By: "anna", Reason: "hardware", Until: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	for path, change := range map[string]func(*credential.Client){
		"no_expiry.acknowledged_by": func(cl *credential.Client) { cl.NoExpiry.By = " " },
		"no_expiry.reason":          func(cl *credential.Client) { cl.NoExpiry.Reason = "" },
		"no_expiry.until":           func(cl *credential.Client) { cl.NoExpiry.Until = time.Time{} },
		"no_expiry":                 func(cl *credential.Client) { cl.Expires = full.Until },
		"":                          func(*credential.Client) {},
	} {
		client := credential.Client{
			ID: "a", Provider: "portal", Ref: credential.Ref{"client_id": "a"}, Owner: "team", Vault: credential.VaultPath{Path: "a"}, NoExpiry: full,
		}
		change(&client)
		problems := c.CheckClient(client).Errors()
		if (len(problems) == 0) != (path == "") || path != "" && problems[0].Path != path {
			t.Errorf("%q: %s", path, problems)
		}
	}
}

func TestTheWordForNoExpiryIsImported(t *testing.T) {
	for name, text := range map[string]string{
		"f":      `{"id":"a","provider":"p","owner":"o","vault":{"path":"x"},"no_expiry":{"acknowledged_by":"anna","reason":"hardware","until":"2027-10-31"}}`,
		"f.yaml": "clients:\n- {id: a, provider: p, owner: o, vault: {path: x}, no_expiry: {acknowledged_by: anna, reason: hardware, until: 2027-10-31}}",
	} {
		clients, problems := decode(t, name, text)
		want := credential.NoExpiry{By: "anna", Reason: "hardware", Until: time.Date(2027, 10, 31, 0, 0, 0, 0, time.UTC)}
		if len(problems) != 0 || len(clients) != 1 || !clients[0].NoExpiry.Equal(want) {
			t.Errorf("%s: %+v, %s", name, clients, problems)
		}
	}
}
