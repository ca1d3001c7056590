package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
)

func submission(id, value string) admin.Command {
	return admin.Command{Verb: admin.VerbSubmit, Client: id, Value: credential.NewSensitive(value)}
}

func TestASubmittedValueStandsInStagingWhenTheAnswerIsYes(t *testing.T) {
	s := newTable(t)
	s.client(t, "partner", credential.ModeManual)
	if _, err := s.ask(t, admin.Command{Verb: admin.VerbPrepare, Client: "partner"}); err != nil {
		t.Fatal(err)
	}
	if rec := s.get(t, "partner"); rec.Rotation != nil {
		t.Error("asking whether a value may be brought began a rotation")
	}
	if _, err := s.ask(t, submission("partner", freshValue)); err != nil {
		t.Fatal(err)
	}
	rec := s.get(t, "partner")
	if s.vault.Staged() != freshValue || rec.Phase() != credential.PhaseStaged || s.vault.Hands() != oldValue {
		t.Errorf("phase %s; staged as brought: %t", rec.Phase(), s.vault.Staged() == freshValue)
	}
	if entry, err := s.vault.Staging(t.Context(), ""); err != nil || entry.Rotation != rec.Rotation.ID || entry.Version != rec.Rotation.Staged {
		t.Errorf("staging is of rotation %s version %d, the record of %s version %d", entry.Rotation, entry.Version, rec.Rotation.ID, rec.Rotation.Staged)
	}
	if _, ok, err := s.store.ClaimOne(t.Context(), s.now(), "partner", "scheduler", time.Hour); !ok || err != nil {
		t.Errorf("the scheduler cannot go on: %t, %v", ok, err)
	}
	if _, err := s.ask(t, submission("partner", "another")); !refusedWith(err, admin.ClassRefused, "under way") {
		t.Errorf("a second value during the rotation: %v", err)
	}
}

func TestTheValueThatVaultHasIsNotTakenAgain(t *testing.T) {
	s := newTable(t)
	s.client(t, "partner", credential.ModeManual)
	if _, err := s.ask(t, submission("partner", oldValue)); !refusedWith(err, admin.ClassRefused, "already") {
		t.Errorf("got %v", err)
	}
	if rec := s.get(t, "partner"); rec.Rev != 1 || s.vault.Staged() != "" {
		t.Errorf("something changed: revision %d", rec.Rev)
	}
}

func TestAValueIsNotTakenWhereNoneIsWanted(t *testing.T) {
	s := newTable(t)
	s.client(t, "worker", credential.ModeTwoSlot)
	unseen := s.client(t, "unseen", credential.ModeUnknown)
	unseen.Sight = credential.SightNone
	s.put(t, credential.Change{Record: unseen})
	for id, why := range map[string]string{"worker": "rotated by rotad itself", "unseen": "not been looked at"} {
		for _, c := range []admin.Command{{Verb: admin.VerbPrepare, Client: id}, submission(id, freshValue)} {
			if _, err := s.ask(t, c); !refusedWith(err, admin.ClassRefused, why) {
				t.Errorf("%s %s: got %v", c.Verb, id, err)
			}
		}
	}
}

// A fence in the staging entry of a client that rotad rotates by itself would be taken up as a create that may have been
// sent: asking for a value must not leave one.
func TestAskingForTheValueOfAnAutomaticClientLeavesNoFence(t *testing.T) {
	s := newTable(t)
	rec := s.client(t, "worker", credential.ModeTwoSlot)
	rec.Client.Provider = "portal" // whose bundles are those of the modelled Vault
	rec.Hold = &credential.Hold{Code: credential.HoldMismatch, Since: s.now(), Retry: true}
	s.put(t, credential.Change{Record: rec})
	if _, err := s.ask(t, admin.Command{Verb: admin.VerbPrepare, Client: "worker"}); err != nil {
		t.Fatal(err)
	}
	entry, err := s.vault.Staging(t.Context(), "")
	if err != nil || entry.Version == 0 || entry.Phase != credential.StagingIdle {
		t.Errorf("staging is %+v, %v", entry, err)
	}
	if _, err := s.ask(t, submission("worker", freshValue)); err != nil {
		t.Fatal(err)
	}
	if got := s.get(t, "worker"); got.Phase() != credential.PhaseStaged || got.Hold != nil || s.vault.Staged() != freshValue {
		t.Errorf("phase %s, hold %v", got.Phase(), got.Hold)
	}
}

func TestASubmissionWaitsForTheSchedulerAndThenSaysThatItIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTable(t)
		s.client(t, "partner", credential.ModeManual)
		claim := func() {
			if _, ok, err := s.store.ClaimOne(t.Context(), s.now(), "partner", "scheduler", time.Hour); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		claim()
		time.AfterFunc(claimWait/2, func() { s.store.Release("partner", "scheduler") })
		if _, err := s.ask(t, admin.Command{Verb: admin.VerbPrepare, Client: "partner"}); err != nil {
			t.Errorf("the scheduler gave it free, and still: %v", err)
		}
		claim()
		began := time.Now()
		if _, err := s.ask(t, submission("partner", freshValue)); !refusedWith(err, admin.ClassRefused, "right now") {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(began); waited < claimWait || waited > claimWait+time.Second {
			t.Errorf("it waited %s", waited)
		}
	})
}

func TestWhereVaultDoesNotAnswerThePersonKeepsTheValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct {
			fault model.FaultKind
			after int // calls that go well
			hint  string
		}{
			"before anything":     {model.Refused, 0, ""},
			"while it is staged":  {model.Timeout, 4, keepValue},
			"and loses the reply": {model.LostReply, 4, keepValue},
		} {
			s := newTable(t)
			s.client(t, "partner", credential.ModeManual)
			for i := range 5000 {
				s.world.Faults[len(s.world.Trace)+test.after+i] = test.fault
			}
			_, err := s.ask(t, submission("partner", freshValue))
			var said *admin.Error
			if err == nil || test.hint != "" && (!errors.As(err, &said) || !strings.HasPrefix(said.Hint, test.hint)) {
				t.Errorf("%s: got %v, %+v", name, err, said)
			}
			if err != nil && strings.Contains(fmt.Sprintf("%+v %#v", err, err), freshValue) {
				t.Errorf("%s: the error tells the value", name)
			}
			if rec := s.get(t, "partner"); rec.Rotation != nil || rec.Rev != 1 {
				t.Errorf("%s: the record is %+v", name, rec)
			}
			if _, ok, err := s.store.ClaimOne(t.Context(), s.now(), "partner", "scheduler", time.Hour); !ok || err != nil {
				t.Errorf("%s: the claim stays: %t, %v", name, ok, err)
			}
		}
	})
}

// nameless is a Vault whose consumers' path holds the secret alone.
type nameless struct{ *model.Vault }

// Consumer leaves the name of the client out.
func (v nameless) Consumer(ctx context.Context, p credential.VaultPath, n int) (credential.Consumer, error) {
	c, err := v.Vault.Consumer(ctx, p, n)
	c.Bundle = credential.Bundle{credential.FieldClientSecret: c.Bundle.Secret()}
	return c, err
}

func TestTheValueThatVaultHasIsNotTakenAgainWhereItStandsAlone(t *testing.T) {
	s := newTable(t)
	s.client(t, "partner", credential.ModeManual)
	s.executor.Vault = nameless{s.vault}
	if _, err := s.ask(t, submission("partner", oldValue)); !refusedWith(err, admin.ClassRefused, "already") {
		t.Errorf("got %v", err)
	}
	if _, err := s.ask(t, submission("partner", freshValue)); err != nil {
		t.Fatal(err)
	}
	entry, err := s.vault.Staging(t.Context(), "")
	if err != nil || entry.Bundle[credential.FieldClientID].Reveal() != "partner" {
		t.Errorf("the staged bundle does not name the client (%v)", err)
	}
}

func TestTheSecretIsTheFieldThatDoesNotNameTheClient(t *testing.T) {
	got := secretFields(&config.Config{Providers: []config.Provider{
		{Name: "roles", Fields: []string{"role_id", "secret_id"}}, {Name: "grace", Fields: []string{"client_id", "client_secret"}}, {Name: "any"},
	}})
	if want := map[string]string{"roles": "secret_id", "grace": "client_secret", "any": "client_secret"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
