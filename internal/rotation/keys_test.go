package rotation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// These are the rules about providers whose key to a client stands in the client's bundle, and is replaced with every
// create (RFC 7592): it must be in Vault whenever it is good, whatever happens.

// keyed is a provider that asks for the key from Vault, and replaces it with every create.
type keyed struct {
	*model.Provider

	key   int
	keeps bool // a create answers with the secret from before
	wrong int  // calls with another key
}

func (k *keyed) current() string { return fmt.Sprintf("key-%d", k.key) }

func (k *keyed) opens(ctx context.Context, operation string, t providers.Target) error {
	held, err := t.Held(ctx)
	if err != nil {
		return &providers.Error{Class: providers.ClassUnavailable, Operation: operation, Err: err}
	}
	if held[credential.FieldRegistrationToken].Reveal() != k.current() {
		k.wrong++
		return &providers.Error{Class: providers.ClassAuth, Operation: operation}
	}
	return nil
}

func (k *keyed) with(issued providers.Issued) providers.Issued {
	if len(issued.Bundle) > 0 {
		issued.Bundle[credential.FieldRegistrationToken] = credential.NewSensitive(k.current())
	}
	return issued
}

func (k *keyed) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	if err := k.opens(ctx, "inspect", t); err != nil {
		return providers.Snapshot{}, err
	}
	return k.Provider.Inspect(ctx, t)
}

func (k *keyed) Recover(ctx context.Context, t providers.Target) (providers.Issued, error) {
	if err := k.opens(ctx, "recover", t); err != nil {
		return providers.Issued{}, err
	}
	issued, err := k.Provider.Recover(ctx, t)
	return k.with(issued), err
}

// Create replaces the key when the world has come to the create itself, whatever becomes of the answer.
func (k *keyed) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if err := k.opens(ctx, "create", t); err != nil {
		return providers.Issued{}, err
	}
	if k.keeps {
		issued, err := k.Provider.Recover(ctx, t)
		if err != nil {
			return providers.Issued{}, err
		}
		k.key++
		return k.with(issued), &providers.Error{Class: providers.ClassUnsupported, Operation: "create"}
	}
	k.Before = func(call, _ string) {
		if call == "create" {
			k.key++
		}
	}
	issued, err := k.Provider.Create(ctx, t, r)
	return k.with(issued), err
}

// keyedLife is a client of such a provider whose rotation is wanted.
type keyedLife struct {
	*effects

	provider *keyed
	boots    int
	before   int // calls that were made before its life began
	audit    []credential.Audit
}

func newKeyedLife(t *testing.T, keeps bool) *keyedLife {
	t.Helper()
	e := newEffects()
	e.provider.Caps = credential.Capabilities{Mode: credential.ModeHardCutover, Reason: "x", Readable: true, StartReadable: true, Slots: 1}
	l := &keyedLife{effects: e, provider: &keyed{Provider: e.provider, keeps: keeps}}
	l.write(t, 1, l.provider.current())
	e.rec.Rotation = nil
	e.rec.Client.AllowCut, e.rec.Caps, e.rec.Version = true, e.provider.Caps, 2
	e.rec.Current = credential.Secret{ID: "secret-1", Slot: providers.SlotCurrent, Start: noon()}
	e.rec.Request.Rotate = true
	l.before = len(e.world.Trace)
	return l
}

// write is a person who writes a key beside the secret that Vault hands out.
func (l *keyedLife) write(t *testing.T, over int, key string) {
	t.Helper()
	now, err := l.vault.Consumer(t.Context(), l.rec.Client.Vault, over)
	if err != nil {
		t.Fatal(err)
	}
	now.Bundle = now.Bundle.WithKeysOf(credential.Bundle{credential.FieldRegistrationToken: credential.NewSensitive(key)})
	if _, _, err := l.vault.Promote(t.Context(), l.rec.Client.Vault, over, now.Bundle); err != nil {
		t.Fatal(err)
	}
}

func (l *keyedLife) env() rotation.Env {
	now := l.now()
	now.Boot = fmt.Sprintf("boot-%d", l.boots)
	now.Second = l.world.Wall
	now.NextLook = l.world.Wall.Add(time.Hour)
	return now
}

// live lets the client live for so many steps. A process that dies is started anew with the record that it had committed.
func (l *keyedLife) live(t *testing.T, steps int) {
	t.Helper()
	for range steps {
		l.step(t)
	}
}

func (l *keyedLife) step(t *testing.T) {
	t.Helper()
	defer func() {
		if died := recover(); died != nil {
			if _, ok := died.(model.Crash); !ok {
				panic(died)
			}
			l.boots++
		}
	}()
	d := rotation.Plan(l.rec, l.env())
	if l.rec = d.Record; d.Effect == rotation.EffectNone {
		l.world.Advance(max(time.Second, d.Record.Due.Sub(l.world.Wall)))
		return
	}
	o := l.executor.Run(t.Context(), l.provider, l.rec, d.Effect, l.env())
	d = rotation.Apply(l.rec, d.Effect, o, l.env())
	l.rec, l.audit = d.Record, append(l.audit, d.Audit...)
}

// holdsTheKey says whether what Vault hands out logs in, and what stands beside it opens the provider.
func (l *keyedLife) holdsTheKey(t *testing.T) bool {
	t.Helper()
	now, err := l.vault.Consumer(t.Context(), l.rec.Client.Vault, 0)
	if err != nil {
		t.Fatal(err)
	}
	return l.provider.Accepts(now.Bundle.Secret().Reveal()) && now.Bundle[credential.FieldRegistrationToken].Reveal() == l.provider.current()
}

// trace is what a life without faults calls.
func trace(t *testing.T, keeps bool) []string {
	t.Helper()
	l := newKeyedLife(t, keeps)
	l.live(t, 40)
	if !l.holdsTheKey(t) || l.provider.key == 0 || l.rec.Rotation != nil {
		t.Fatalf("without a fault: phase %s, hold %+v", l.rec.Phase(), l.rec.Hold)
	}
	return l.world.Trace[l.before:]
}

// A process dies, or an answer is lost, at every call there is. Only where the key itself was lost on its way does a person
// have to write a new one; then all goes on by itself.
func TestTheKeyIsAsSafeAsTheSecret(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		for index, call := range trace(t, keeps) {
			for _, kind := range model.Kinds(call) {
				if kind == model.Malformed { // is kept raw, and settled by reading back: as a lost reply
					continue
				}
				t.Run(fmt.Sprintf("keeps=%t/%d-%s/%s", keeps, index, call, kind), func(t *testing.T) {
					keyedLifeWithFault(t, keeps, index, kind)
				})
			}
		}
	}
}

func keyedLifeWithFault(t *testing.T, keeps bool, index int, kind model.FaultKind) {
	l := newKeyedLife(t, keeps)
	secret := l.provider.Newest()
	l.world.Faults[l.before+index] = kind
	l.live(t, 60)
	if l.world.Hit == 0 {
		t.Fatal("the fault never came")
	}
	if l.provider.wrong > 0 { // the answer with the key was lost
		if call := l.world.Trace[l.before+index]; call != "create" && (call != "vault.stage" || kind != model.CrashBefore) {
			t.Fatalf("%s at %s has lost the key", kind, call)
		}
		if !strings.Contains(l.rec.Backoff.Error, string(providers.ClassAuth)) {
			t.Errorf("nobody is told that the key is refused: %+v", l.rec.Backoff)
		}
		l.provider.key += 10 // an administrator makes a new one
		now, err := l.vault.Consumer(t.Context(), l.rec.Client.Vault, 0)
		if err != nil {
			t.Fatal(err)
		}
		l.write(t, now.Version, l.provider.current())
		l.live(t, 200)
	}
	if !l.holdsTheKey(t) {
		t.Errorf("Vault does not hold what is good now: phase %s, hold %+v, %+v", l.rec.Phase(), l.rec.Hold, l.rec.Backoff)
	}
	if (l.provider.Newest() == secret) != keeps {
		t.Errorf("rotated: %t", !keeps)
	}
	if held := l.rec.Hold != nil && l.rec.Hold.Code == credential.HoldSecretKept; held != keeps || l.rec.Rotation != nil {
		t.Errorf("phase %s, hold %+v", l.rec.Phase(), l.rec.Hold)
	}
}

// Nothing was rotated: that is a hold, nobody is told of a new secret, and no create follows by itself.
func TestAKeptSecretIsSaidAndNotAskedForAgain(t *testing.T) {
	l := newKeyedLife(t, true)
	l.live(t, 40)
	h := l.rec.Hold
	if h == nil || h.Code != credential.HoldSecretKept || !strings.Contains(h.Detail, "nothing was rotated") {
		t.Fatalf("%+v", h)
	}
	if l.provider.key != 1 || l.rec.Last.Outcome != "kept" || l.rec.Current.ID != "secret-1" {
		t.Errorf("%d creates, outcome %q, current %q", l.provider.key, l.rec.Last.Outcome, l.rec.Current.ID)
	}
	entry, err := l.vault.Staging(t.Context(), l.rec.Client.StagingKey())
	if err != nil || entry.Phase != credential.StagingIdle || len(entry.Bundle) > 0 {
		t.Errorf("staging: %s, %v", entry.Phase, err)
	}
	for _, a := range l.audit {
		if a.Event == credential.EventCreated || a.Event == credential.EventPromoted || a.Event == credential.EventConfirmed {
			t.Errorf("the history tells of a rotation: %s", a.Event)
		}
	}
	if was, err := l.vault.Consumer(t.Context(), l.rec.Client.Vault, 2); err != nil || was.Deleted {
		t.Errorf("the version before was destroyed as if it held an old secret: %v", err)
	}
	d, err := rotation.Resume(credential.ResolveRetry, "")(l.rec, rotation.Person{Name: "anna"}, l.env())
	if err != nil {
		t.Fatal(err)
	}
	l.rec, l.provider.keeps = d.Record, false // the server was configured to rotate
	l.rec.Request.Rotate = true
	l.live(t, 60)
	if !l.holdsTheKey(t) || l.provider.key != 2 || l.rec.Hold != nil {
		t.Errorf("after --retry: key %d, hold %+v", l.provider.key, l.rec.Hold)
	}
}

// The cutover does not take, and Vault hands out the old secret again: with the key that is good now, not with the old one.
func TestARestoredSecretKeepsTheNewKey(t *testing.T) {
	l := newKeyedLife(t, false)
	for range 60 {
		if l.step(t); l.rec.Phase() == credential.PhaseStaged {
			l.provider.Deaf = true
		}
		if l.rec.Rotation != nil && l.rec.Rotation.Restored {
			break
		}
	}
	now, err := l.vault.Consumer(t.Context(), l.rec.Client.Vault, 0)
	if err != nil || l.rec.Rotation == nil || !l.rec.Rotation.Restored {
		t.Fatalf("phase %s, %v: nothing was brought back", l.rec.Phase(), err)
	}
	if now.Bundle.Secret().Reveal() != "value-1" || now.Bundle[credential.FieldRegistrationToken].Reveal() != l.provider.current() {
		t.Error("Vault hands out the old secret beside a key that opens nothing")
	}
}

// Only what the rotation under way has staged is newer than what is published.
func TestWhatAnEarlierRotationHasStagedIsNoKey(t *testing.T) {
	l := newKeyedLife(t, false)
	for l.rec.Phase() != credential.PhaseStaged {
		l.step(t)
	}
	for id, want := range map[string]string{l.rec.Rotation.ID: "key-1", "another": "key-0", "": "key-0"} {
		held, err := rotation.Target(l.vault, l.rec.Client, id).Held(t.Context())
		if err != nil || held[credential.FieldRegistrationToken].Reveal() != want || held[credential.FieldClientID].Empty() {
			t.Errorf("rotation %q: another key than %s, %v", id, want, err)
		}
	}
	if rotation.Target(nil, l.rec.Client, "").Held != nil {
		t.Error("without Vault something is held")
	}
}

// A consumer's file has more readers than Vault, and none of them manages the registration.
func TestCopiesHoldNoKey(t *testing.T) {
	l := newKeyedLife(t, false)
	l.rec.Request.Rotate = false
	l.rec.Client.Destinations = []credential.Destination{{Name: "file"}}
	var copies []credential.Bundle
	l.executor.Deliver = func(_ context.Context, _ credential.Destination, c credential.Copy) (bool, error) {
		copies = append(copies, c.Bundle)
		return true, nil
	}
	l.live(t, 6)
	if len(copies) == 0 {
		t.Fatal("nothing was copied")
	}
	for _, c := range copies {
		if c.Secret().Empty() || !c.Equal(c.Login()) {
			t.Errorf("a copy has %d fields, its secret empty: %t", len(c), c.Secret().Empty())
		}
	}
}

// A key is nothing that a consumer could log in with.
func TestAKeyAloneIsNoSecret(t *testing.T) {
	l := newKeyedLife(t, false)
	alone := credential.Bundle{credential.FieldRegistrationToken: credential.NewSensitive(l.provider.current())}
	if _, _, err := l.vault.Promote(t.Context(), l.rec.Client.Vault, 2, alone); err != nil {
		t.Fatal(err)
	}
	o := l.executor.Run(t.Context(), l.provider, l.rec, rotation.EffectLook, l.env())
	if o.Look == nil || o.Look.HasValue || o.Look.Version != 3 {
		t.Errorf("%+v", o.Look)
	}
}

// A person who writes a new key has not changed what consumers read.
func TestANewKeyIsNoForeignWrite(t *testing.T) {
	l := newKeyedLife(t, false)
	l.rec.Request.Rotate = false
	l.live(t, 4)
	l.provider.key = 7
	l.write(t, 2, l.provider.current())
	l.live(t, 6)
	if l.rec.Hold != nil || l.rec.Version != 3 {
		t.Errorf("version %d, hold %+v", l.rec.Version, l.rec.Hold)
	}
}
