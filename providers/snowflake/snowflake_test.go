package snowflake_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/snowflake"
)

func byToken(url string) snowflake.Settings { return snowflake.Settings{URL: url, TokenEnv: "T"} }

// A rotation refreshes the slot that Vault does not hold, and the next one the other.
func TestRotationsAlternateBetweenTheSlots(t *testing.T) {
	a := newAccount(t)
	p := open(t, byToken(a.url), ownToken, nil)
	held := bundle(clientID, firstSecret)
	for turn := range 4 {
		issued, err := p.Create(t.Context(), target("BILLING", held), providers.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if !a.Accepts(clientID, held.Secret().Reveal()) || !a.Accepts(clientID, issued.Bundle.Secret().Reveal()) {
			t.Fatalf("turn %d: one of the two is refused in the overlap", turn)
		}
		seen, err := p.Inspect(t.Context(), target("BILLING", issued.Bundle))
		if current, ok := seen.Current(); err != nil || !ok || current.ID != issued.Secret.ID {
			t.Errorf("turn %d: the current one is %+v (%v)", turn, seen.Secrets, err)
		}
		held = issued.Bundle
	}
}

// Where Vault does not tell which slot consumers use, none is touched.
func TestWithoutVaultsWordNothingIsRefreshed(t *testing.T) {
	failing := target("BILLING", nil)
	failing.Held = func(context.Context) (credential.Bundle, error) { return nil, errors.New("Vault is away") }
	for name, test := range map[string]struct {
		target providers.Target
		want   providers.Class
	}{
		"Vault holds another value": {target("BILLING", bundle(clientID, "another")), providers.ClassConflict},
		"Vault holds nothing":       {target("BILLING", credential.Bundle{}), providers.ClassConflict},
		"Vault cannot be read":      {failing, providers.ClassUnavailable},
		"there is no Vault":         {target("BILLING", nil), providers.ClassUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			p := open(t, byToken(a.url), ownToken, nil)
			_, err := p.Create(t.Context(), test.target, providers.Request{})
			if providers.ClassOf(err) != test.want || a.Made("BILLING") != 0 {
				t.Errorf("%v, %d refreshed", err, a.Made("BILLING"))
			}
			seen, err := p.Inspect(t.Context(), test.target)
			if _, ok := seen.Current(); err != nil || ok || len(seen.Secrets) != 2 {
				t.Errorf("a look says %+v (%v)", seen.Secrets, err)
			}
		})
	}
}

// A name never leaves its quotes: what is not plain is refused before anything is sent.
func TestNamesThatAreNotPlainAreRefused(t *testing.T) {
	for _, name := range []string{"", "1ST", "a b", `A"B`, "A'B", "A$$B", `A\B`, "A;DROP", "Ä", "A-B", "A.B", strings.Repeat("A", 256)} {
		r := &recorder{}
		p := open(t, byToken("https://account.invalid"), ownToken, r)
		mine := target(name, bundle(clientID, firstSecret))
		_, looked := p.Inspect(t.Context(), mine)
		_, made := p.Create(t.Context(), mine, providers.Request{})
		revoked := p.(providers.Revoker).Revoke(t.Context(), mine, "v-1")
		for _, err := range []error{looked, made, revoked} {
			if providers.ClassOf(err) != providers.ClassRejected || r.sent > 0 {
				t.Errorf("%q: %v, %d sent", name, err, r.sent)
			}
		}
	}
}

// recorder counts requests and answers none.
type recorder struct{ sent int }

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(*http.Request) (*http.Response, error) {
	r.sent++
	return nil, errors.New("nobody is there")
}

// What failed inside of a refresh may have changed something, unless its first part can say nothing else.
func TestRefusedStatements(t *testing.T) {
	for name, test := range map[string]struct {
		status       int
		body         string
		look, create providers.Class
	}{
		"unknown":         {422, `{"code":"002003","message":"does not exist or not authorized"}`, providers.ClassNotFound, providers.ClassNotFound},
		"no rights":       {422, `{"code":"003001","message":"insufficient privileges"}`, providers.ClassAuth, providers.ClassAuth},
		"something":       {422, `{"code":"100132","message":"JavaScript execution error"}`, providers.ClassRejected, providers.ClassIndeterminate},
		"no code":         {422, `<html>`, providers.ClassRejected, providers.ClassIndeterminate},
		"still at work":   {202, `{"code":"333334","statementHandle":"h"}`, providers.ClassUnavailable, providers.ClassIndeterminate},
		"no row":          {200, `{"data":[]}`, providers.ClassUnavailable, providers.ClassNotUnderstood},
		"a null":          {200, `{"data":[[null]]}`, providers.ClassUnavailable, providers.ClassNotUnderstood},
		"another column":  {200, `{"data":[["{}"]]}`, providers.ClassUnavailable, providers.ClassNotUnderstood},
		"twice the same":  {200, `{"data":[["{\"OAUTH_CLIENT_ID\":\"i\",\"OAUTH_CLIENT_SECRET\":\"s\",\"OAUTH_CLIENT_SECRET_2\":\"s\"}"]]}`, providers.ClassUnavailable, providers.ClassNotUnderstood},
		"a slot too many": {200, `{"data":[["{\"slot\":3,\"secrets\":{\"OAUTH_CLIENT_ID\":\"i\",\"OAUTH_CLIENT_SECRET\":\"s\",\"OAUTH_CLIENT_SECRET_2\":\"t\"}}"]]}`, providers.ClassUnavailable, providers.ClassNotUnderstood},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			mine := target("BILLING", bundle(clientID, firstSecret))
			_, err := open(t, byToken(a.url), ownToken, answered{"SELECT SYSTEM", test.status, test.body}).Inspect(t.Context(), mine)
			if providers.ClassOf(err) != test.look {
				t.Errorf("a look: %v", err)
			}
			_, err = open(t, byToken(a.url), ownToken, answered{"REFRESH", test.status, test.body}).Create(t.Context(), mine, providers.Request{})
			if providers.ClassOf(err) != test.create {
				t.Errorf("a create: %v", err)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	for name, test := range map[string]struct {
		settings snowflake.Settings
		want     string
	}{
		"no login":         {snowflake.Settings{}, "token_file"},
		"two logins":       {snowflake.Settings{TokenFile: "f", Account: "a", User: "u", PrivateKeyFile: "k"}, "token_file"},
		"no key":           {snowflake.Settings{Account: "a", User: "u"}, "private_key_file"},
		"a host":           {snowflake.Settings{Account: "https://a", User: "u", PrivateKeyFile: "k"}, "account"},
		"no user":          {snowflake.Settings{Account: "a", PrivateKeyFile: "k"}, "user"},
		"a role in quotes": {snowflake.Settings{TokenFile: "f", Role: `"my role"`}, "role"},
		"a token":          {snowflake.Settings{TokenFile: "f", Role: "rotad"}, ""},
		"a key":            {snowflake.Settings{Account: "my-org", User: "rotad", PrivateKeyFile: "k"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var said []string
			test.settings.Validate(func(path, _, _ string) { said = append(said, path) })
			if got := strings.Join(said, " "); got != test.want {
				t.Errorf("said %q, want %q", got, test.want)
			}
		})
	}
}

// A key that cannot be used is said to be none, and nothing of it is repeated.
func TestAKeyThatIsNone(t *testing.T) {
	for _, text := range []string{"", "canary", "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n"} {
		a := newAccount(t)
		s := snowflake.Settings{URL: a.url, Account: "myorg-prod", User: "rotad", PrivateKeyEnv: "K"}
		_, err := open(t, s, text, nil).Inspect(t.Context(), target("BILLING", nil))
		if providers.ClassOf(err) != providers.ClassAuth || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Y2Fu") {
			t.Errorf("%v", err)
		}
	}
}

func TestCheckFindsARefusedLogin(t *testing.T) {
	a := newAccount(t)
	for token, want := range map[string]int{ownToken: 0, "another": 1} {
		if found := open(t, byToken(a.url), token, nil).(providers.Checker).Check(t.Context()); len(found) != want {
			t.Errorf("%d findings, want %d: %+v", len(found), want, found)
		}
	}
}
