package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/state/statetest"
)

// table is the daemon's side of the admin API on a store in memory and a modelled Vault.
type table struct {
	*actions
	store   *statetest.Memory
	vault   *model.Vault
	world   *model.World
	woken   int
	commits []credential.Change
	between func() // called right before each commit reaches the store: another hand
}

// Commit lets the other hand be faster.
func (s *table) Commit(ctx context.Context, c credential.Change) (credential.Record, bool, error) {
	if f := s.between; f != nil {
		s.between = nil
		f()
	}
	return s.store.Commit(ctx, c)
}

// raced is the store as the actions see it.
type raced struct {
	*statetest.Memory
	table *table
}

// Commit lets the other hand be faster.
func (r raced) Commit(ctx context.Context, c credential.Change) (credential.Record, bool, error) {
	return r.table.Commit(ctx, c)
}

const oldValue, freshValue = "the-value-before", "the-value-of-the-portal"

func newTable(t *testing.T) *table {
	t.Helper()
	began := time.Now()
	cfg := configured(t)
	w := model.NewWorld(began.UTC())
	s := &table{store: statetest.NewMemory(), vault: &model.Vault{World: w}, world: w}
	s.vault.Seed(oldValue)
	now := func() time.Time { return time.Now().UTC() }
	elapsed := func() time.Duration { return time.Since(began) }
	serial := 0
	s.actions = &actions{
		store: raced{s.store, s}, config: func() *config.Config { return cfg }, now: now, log: slog.New(slog.DiscardHandler),
		wake:      func() { s.woken++ },
		committed: func(c credential.Change) { s.commits = append(s.commits, c) },
		executor:  rotation.Executor{Vault: s.vault, Now: now, Elapsed: elapsed, After: time.After},
		env: func(rec credential.Record) rotation.Env {
			serial++
			return rotation.Env{
				Now: now(), Second: now(), Elapsed: elapsed(), Boot: "test", Policy: cfg.Policies[rec.Client.Policy],
				NextLook: now().Add(time.Hour), FreshID: fmt.Sprintf("fresh-%d", serial), Instance: s.store.Meta().Instance,
			}
		},
	}
	return s
}

// configured loads the configuration of the scripts.
func configured(t *testing.T) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf(scriptConfig, "http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(file, configKinds(), config.SyntaxOnly())
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// client puts a record into the store that has been looked at.
func (s *table) client(t *testing.T, id string, mode credential.Mode) credential.Record {
	t.Helper()
	provider := map[credential.Mode]string{credential.ModeManual: "portal"}[mode]
	if provider == "" {
		provider = "roles"
	}
	rec := credential.Record{
		Client: credential.Client{
			ID: id, Provider: provider, Ref: credential.Ref{"client_id": id}, Owner: "payments", Policy: "default",
			Vault: credential.VaultPath{Mount: "secret", Path: "apps/" + id}, Source: admin.SourceAdd,
		},
		Since: s.now(), Sight: credential.SightAdopted, Version: 1, Caps: credential.Capabilities{Mode: mode}, NextLook: s.now().Add(time.Hour),
	}
	return s.put(t, credential.Change{Record: rec, Create: true})
}

func (s *table) put(t *testing.T, c credential.Change) credential.Record {
	t.Helper()
	rec, conflict, err := s.store.Commit(t.Context(), c)
	if err != nil || conflict {
		t.Fatalf("conflict %t, %v", conflict, err)
	}
	return rec
}

func (s *table) get(t *testing.T, id string) credential.Record {
	t.Helper()
	rec, ok, err := s.store.Get(t.Context(), id)
	if err != nil || !ok {
		t.Fatalf("reading %s: %t, %v", id, ok, err)
	}
	return rec
}

func (s *table) ask(t *testing.T, c admin.Command) (admin.Reply, error) {
	t.Helper()
	c.Actor = "uid:7 (anna)"
	return s.Do(t.Context(), c)
}

// refusedWith says whether an error is a refusal of a class that mentions a text.
func refusedWith(err error, class admin.Class, text string) bool {
	var said *admin.Error
	return errors.As(err, &said) && said.Class == class && strings.Contains(said.Why, text)
}

func TestAWishThatMeetsAConflictIsRepeatedOnTheWinner(t *testing.T) {
	s := newTable(t)
	before := s.client(t, "worker", credential.ModeTwoSlot)
	looked := s.now().Truncate(time.Microsecond)
	s.between = func() {
		before.Looked, before.Hold = looked, &credential.Hold{Code: credential.HoldCutover, Since: looked, Retry: true}
		s.put(t, credential.Change{Record: before})
	}
	reply, err := s.ask(t, admin.Command{Verb: admin.VerbRotate, Client: "worker", Reason: "leaked"})
	if err != nil {
		t.Fatal(err)
	}
	got := s.get(t, "worker")
	if !got.Request.Rotate || got.Request.Actor != "uid:7 (anna)" || got.Request.Reason != "leaked" {
		t.Errorf("the wish is lost: %+v", got.Request)
	}
	if !got.Looked.Equal(looked) || got.Hold == nil {
		t.Errorf("what the winner wrote is lost: %+v", got)
	}
	if got.Rev != 3 || reply.Record.Rev != 3 || s.woken == 0 || len(s.commits) != 1 {
		t.Errorf("revision %d, answered %d, woken %d, told %d", got.Rev, reply.Record.Rev, s.woken, len(s.commits))
	}
	entries, err := s.store.History(t.Context(), "worker", 0)
	if err != nil || len(entries) != 1 || entries[0].Event != credential.EventRequested || entries[0].Actor != "uid:7 (anna)" {
		t.Errorf("the audit holds %+v, %v", entries, err)
	}
}

func TestAWishIsRefusedWhereTheWinnerStandsAgainstIt(t *testing.T) {
	s := newTable(t)
	before := s.client(t, "worker", credential.ModeTwoSlot)
	s.between = func() {
		before.Rotation = &credential.Rotation{ID: "r", Phase: credential.PhaseStaged, Client: before.Client}
		s.put(t, credential.Change{Record: before})
	}
	_, err := s.ask(t, admin.Command{Verb: admin.VerbRotate, Client: "worker"})
	if !refusedWith(err, admin.ClassRefused, "under way already (staged)") {
		t.Errorf("got %v", err)
	}
	if got := s.get(t, "worker"); got.Request.Rotate || got.Rev != 2 {
		t.Errorf("the record is %+v", got)
	}
}

func TestAWishThatAlwaysLosesEnds(t *testing.T) {
	s := newTable(t)
	rec := s.client(t, "worker", credential.ModeTwoSlot)
	var faster func()
	faster = func() {
		rec = s.put(t, credential.Change{Record: rec})
		s.between = faster
	}
	s.between = faster
	_, err := s.ask(t, admin.Command{Verb: admin.VerbAck, Client: "worker"})
	if !refusedWith(err, admin.ClassRefused, "working on worker") {
		t.Errorf("got %v", err)
	}
	if rec.Rev != 1+meetings {
		t.Errorf("it was tried %d times", rec.Rev-1)
	}
}

func TestAWishLeavesTheClaimOfTheSchedulerAlone(t *testing.T) {
	s := newTable(t)
	s.client(t, "worker", credential.ModeTwoSlot)
	if _, ok, err := s.store.ClaimOne(t.Context(), s.now(), "worker", "scheduler", time.Hour); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := s.ask(t, admin.Command{Verb: admin.VerbHold, Client: "worker"}); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.store.ClaimOne(t.Context(), s.now(), "worker", "another", time.Hour); ok || err != nil {
		t.Errorf("the claim is gone: %t, %v", ok, err)
	}
}

func TestWhatDoesNotExistIsNotFound(t *testing.T) {
	s := newTable(t)
	for _, verb := range []admin.Verb{admin.VerbRotate, admin.VerbRemove, admin.VerbPrepare, admin.VerbSubmit} {
		if _, err := s.ask(t, admin.Command{Verb: verb, Client: "nobody"}); !refusedWith(err, admin.ClassNotFound, `"nobody"`) {
			t.Errorf("%s: got %v", verb, err)
		}
	}
}

func TestOnlyWhatACommandRegisteredIsRemovedByOne(t *testing.T) {
	s := newTable(t)
	added := s.client(t, "added", credential.ModeTwoSlot)
	configured := s.client(t, "configured", credential.ModeTwoSlot)
	configured.Client.Source = "clients.yaml:7"
	s.put(t, credential.Change{Record: configured})
	if _, err := s.ask(t, admin.Command{Verb: admin.VerbRemove, Client: "configured"}); !refusedWith(err, admin.ClassRefused, "clients.yaml:7") {
		t.Errorf("got %v", err)
	}
	if _, err := s.ask(t, admin.Command{Verb: admin.VerbRemove, Client: added.Client.ID, Reason: "gone"}); err != nil {
		t.Error(err)
	}
	entries, err := s.store.History(t.Context(), "added", 1)
	if err != nil || entries[0].Event != credential.EventLeaving || entries[0].Actor != "uid:7 (anna)" || entries[0].Detail != "gone" {
		t.Errorf("the audit holds %+v, %v", entries, err)
	}
	if _, err := s.ask(t, admin.Command{Verb: admin.VerbRemove, Client: "added"}); !refusedWith(err, admin.ClassRefused, "leaving already") {
		t.Errorf("got %v", err)
	}
}

func entry(id, ref string) credential.Client {
	return credential.Client{
		ID: id, Provider: "roles", Ref: credential.Ref{"role": ref}, Owner: "payments", Vault: credential.VaultPath{Path: "apps/" + id},
	}
}

func TestRegisteringTakesWhatIsRightAndSaysWhatIsNot(t *testing.T) {
	s := newTable(t)
	running := s.client(t, "running", credential.ModeTwoSlot)
	running.Rotation = &credential.Rotation{ID: "r", Phase: credential.PhaseOverlap, Client: running.Client}
	s.put(t, credential.Change{Record: running})
	inFile := s.client(t, "in-file", credential.ModeTwoSlot)
	inFile.Client.Source = "clients.yaml:7"
	s.put(t, credential.Change{Record: inFile})
	wrongOwner := entry("wrong", "w")
	wrongOwner.Owner = "nobody"
	moved := entry("moved", "m")
	moved.RenamedFrom = "former"
	c := admin.Command{Verb: admin.VerbRegister, Source: admin.SourceImport, Clients: []credential.Client{
		entry("former", "m"), entry("a", "a"), wrongOwner, entry("twin", "a"), entry("running", "x"), entry("in-file", "y"),
	}}
	c.DryRun = true
	s.expect(t, c, admin.Registered{New: 3, Rejected: make([]admin.Rejected, 3)}) // twins in one request are for the command to see
	if _, ok, _ := s.store.Get(t.Context(), "a"); ok {
		t.Fatal("a dry run registered a client")
	}
	c.DryRun = false
	got := s.expect(t, c, admin.Registered{New: 2, Rejected: make([]admin.Rejected, 4)})
	for _, want := range []struct {
		index    int
		what     string
		conflict bool
	}{
		{2, `there is no owner "nobody"`, false},
		{3, "the client a already has this", true},
		{4, "cannot change while its rotation runs", true},
		{5, "registered in clients.yaml:7", true},
	} {
		found := false
		for _, r := range got.Rejected {
			found = found || r.Index == want.index && strings.Contains(r.What, want.what) && r.Conflict == want.conflict
		}
		if !found {
			t.Errorf("%q is not among %+v", want.what, got.Rejected)
		}
	}
	if rec := s.get(t, "a"); rec.Client.Source != admin.SourceImport || rec.Client.Policy != "default" || rec.Client.Vault.Mount != "secret" {
		t.Errorf("registered as %+v", rec.Client)
	}

	again := admin.Command{Verb: admin.VerbRegister, Source: admin.SourceImport, Clients: []credential.Client{entry("a", "a"), moved}}
	s.expect(t, again, admin.Registered{Changed: 1, Unchanged: 1})
	if _, ok, _ := s.store.Get(t.Context(), "former"); ok {
		t.Error("the former id is still there")
	}
	entries, err := s.store.History(t.Context(), "moved", 0)
	if err != nil || len(entries) != 2 || entries[1].Event != credential.EventRegistered || entries[0].Actor != "uid:7 (anna)" {
		t.Errorf("the history did not move along: %+v, %v", entries, err)
	}
}

func (s *table) expect(t *testing.T, c admin.Command, want admin.Registered) admin.Registered {
	t.Helper()
	reply, err := s.ask(t, c)
	if err != nil {
		t.Fatal(err)
	}
	got := *reply.Registered
	if got.New != want.New || got.Changed != want.Changed || got.Unchanged != want.Unchanged || len(got.Rejected) != len(want.Rejected) {
		t.Errorf("dry %t: got %+v, want %+v", c.DryRun, got, want)
	}
	return got
}
