package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telicent"
)

// An auth server with its default of P365D: the date is read from it and shown, to the day.
func TestALifetimeOfAYearIsKnownAndShown(t *testing.T) {
	idp := sandbox.NewIdP(monday, sandbox.Settings{AdminToken: "bearer"})
	if err := idp.Register(sandbox.Registration{ClientID: "billing"}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(idp.Handler())
	t.Cleanup(server.Close)
	p, err := telicent.Kind().Open(providers.Opening{
		Name: "auth", Settings: &telicent.Settings{URL: server.URL + sandbox.PathTelicent, TokenEnv: "TOKEN"},
		Secret: func(string) (string, error) { return "bearer", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	target := providers.Target{Client: "billing", Ref: credential.Ref{"client_id": "billing"}}
	issued, err := p.Create(t.Context(), target, providers.Request{})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := p.Inspect(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	current, _ := seen.Current()
	const year = 365 * 24 * time.Hour
	if !current.Expires.Equal(monday().Add(year)) || !issued.Secret.Expires.Equal(current.Expires) {
		t.Errorf("listed %v, issued %v, want a year after %v", current.Expires, issued.Secret.Expires, monday())
	}
	rec := plannable(credential.ModeGraceWindow)
	rec.Current = current
	var out strings.Builder
	if err := showText(&out, rec, look(rec, planPolicy(), monday()), monday()); err != nil {
		t.Fatal(err)
	}
	if day := current.Expires.Local().Format("2006-01-02"); !regexp.MustCompile(`expires +` + day + `.*\(in 365d\)`).MatchString(out.String()) {
		t.Errorf("it does not show %s:\n%s", day, out.String())
	}
}

// An account that may not change secrets is found out by "rotad check --online", and the missing right is named.
func TestCheckOnlineNamesTheMissingRight(t *testing.T) {
	world := newTestWorld(t)
	path, err := world.configure()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(world.dir, "secrets", "telicent"), []byte("of an account without the right"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := command(t, "check", "--config", path, "--online")
	if code != exitFailed || !strings.Contains(out, "provider platform-telicent: problem:") || !strings.Contains(out, "client.write") {
		t.Errorf("exit code %d:\n%s%s", code, out, errOut)
	}
}

// The history of a client whose secret is regenerated is one list, here and at the portal: nothing is deleted and made anew.
func TestTheHistoryOfAClientStaysInOnePiece(t *testing.T) {
	l := newPortalLife(t, 0)
	var entries []credential.Audit
	l.live(func() {
		l.rotate()
		l.ends()
		l.must(json.Unmarshal([]byte(l.ask("history", "billing", "--json")), &entries))
	})
	var told []credential.Event
	for _, e := range entries {
		if e.Client != "billing" {
			t.Errorf("an entry of %q", e.Client)
		}
		told = append(told, e.Event)
	}
	at := -1
	for _, event := range []credential.Event{
		credential.EventRegistered, credential.EventSighted, credential.EventRequested, credential.EventIntent, credential.EventCreated,
		credential.EventStaged, credential.EventPromoted, credential.EventRevoked, credential.EventConfirmed,
	} {
		next := slices.Index(told, event)
		if next <= at {
			t.Errorf("%s stands at %d, after %d: %v", event, next, at, told)
		}
		at = next
	}
	if events := l.portal.Events("billing"); len(events) != 2 || events[0].Type != "ClientCreatedEvent" || events[1].Version != 2 {
		t.Errorf("the portal has %+v", events)
	}
}

func TestHelpSaysThatAValueIsShownOnce(t *testing.T) {
	for name, wants := range map[string][]string{
		"rotate": {"shows the value of a secret once", "rotad show ID", "make another one: rotad rotate ID", "rotad submit ID"},
		"submit": {"Keep the value until", "shows the value of a secret once"},
	} {
		_, out, _ := command(t, name, "--help")
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("rotad %s --help does not say %q:\n%s", name, want, out)
			}
		}
	}
}

// A policy that deletes early what this provider cannot delete is told before a rotation finds out.
func TestCheckOnlineSaysWhereNothingCanBeDeletedEarly(t *testing.T) {
	world := newTestWorld(t)
	path, err := world.configure()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	early := strings.Replace(string(text), "  as-the-platform:\n", "  as-the-platform:\n    delete_early: true\n", 1)
	if err := os.WriteFile(path, []byte(early), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := command(t, "check", "--config", path, "--online")
	if code != exitDone || strings.Count(out, "delete_early has no effect") != 1 || !strings.Contains(out, "client gateway: note:") {
		t.Errorf("exit code %d:\n%s%s", code, out, errOut)
	}
}
