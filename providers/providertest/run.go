package providertest

import (
	"crypto/rand"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Run runs the suite. Build makes a fresh World for every test; against a real server that is a fresh client.
func Run(t *testing.T, build func(t *testing.T) World) {
	t.Helper()
	tests := []struct {
		name    string
		run     func(*bench)
		creates bool // where a person makes the secrets, it is shown instead that none is made
	}{
		{"InspectChangesNothing", inspectChangesNothing, false},
		{"VerifyProvesAndRefutes", verifyProvesAndRefutes, false},
		{"CreateMakesOneUsableSecret", createMakesOneUsableSecret, true},
		{"CreateWithTheSameValueIsHarmless", createIsRepeatable, true},
		{"ValueSurvivesWhenNothingCanBeReadBack", valueSurvivesLostReadBack, true},
		{"RecoverReadsTheCurrentValue", recoverReadsCurrent, false},
		{"RevokeDeletesOneSecretById", revokeDeletesOne, false},
		{"RevokeNeverTouchesTheCurrentOne", revokeSparesCurrent, false},
		{"TheNewOneTakesTheOldOnesPlace", takesPlace, false},
		{"AStagedOneIsTakenBack", takenBack, false},
		{"UnknownClientIsNotFound", unknownClient, true},
		{"TheProbeChangesNothing", probeChangesNothing, false},
		{"TimingIsKnown", timingIsKnown, false},
		{"ConcurrentUse", concurrentUse, false},
		{"ListFindsTheClient", listFindsTheClient, false},
		{"ListUnderFaults", listUnderFaults, false},
		{"ListRefusesAForeignCursor", listRefusesAForeignCursor, false},
		{"InspectUnderFaults", inspectUnderFaults, false},
		{"CreateUnderFaults", createUnderFaults, true},
		{"CreateThatLandedAndWasNotHeard", createThatLanded, true},
		{"KeptReplyIsDecodedLater", keptReplyIsDecoded, true},
		{"VerifyUnderFaults", verifyUnderFaults, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, build)
			if test.creates && b.inspect().Caps.Mode == credential.ModeManual {
				createIsRefused(b)
				return
			}
			if test.name == "VerifyUnderFaults" && b.Verifies == nil {
				return // nobody is asked
			}
			if b.offline && (test.name == "CreateUnderFaults" || test.name == "CreateThatLandedAndWasNotHeard") {
				createAsksNobody(b)
				return
			}
			test.run(b)
		})
	}
}

func inspectChangesNothing(b *bench) {
	before, made := b.inspect(), b.Created()
	after := b.inspect()
	before.Time = after.Time
	if !reflect.DeepEqual(before, after) {
		b.Errorf("two looks differ:\n%+v\n%+v", before, after)
	}
	if b.Created() != made {
		b.Error("Inspect made a secret")
	}
	if before.Caps.Mode == credential.ModeUnknown || before.Caps.Reason == "" {
		b.Errorf("mode %q, reason %q: Inspect must say both", before.Caps.Mode, before.Caps.Reason)
	}
	seen := map[string]bool{}
	for _, s := range before.Secrets {
		if s.ID != "" && seen[s.ID] {
			b.Errorf("two listed secrets have the id %q", s.ID)
		}
		if s.ID == providers.SlotCurrent || s.ID == providers.SlotPrevious {
			b.Errorf("the slot name %q is used as an id", s.ID)
		}
		seen[s.ID] = true
	}
	b.mustAnswer(b.Bundle, providers.Accepted, "the first secret after two looks")
}

func verifyProvesAndRefutes(b *bench) {
	made := b.Created()
	b.mustAnswer(b.Bundle, providers.Accepted, "the first secret")
	b.mustAnswer(b.with(rand.Text()), providers.Refused, "a random value")
	b.mustAnswer(b.with("a b+c&d=e/f:g%h\"<ü>"), providers.Refused, "a value that needs every sort of escape")
	if b.Created() != made {
		b.Error("Verify made a secret")
	}
}

func createMakesOneUsableSecret(b *bench) {
	before, made := b.inspect(), b.Created()
	issued := b.create(before.Caps)
	if got := b.Created() - made; got != 1 {
		b.Fatalf("one Create made %d secrets", got)
	}
	if issued.Bundle[b.Field].Empty() || issued.Bundle[b.Field].Equal(b.Bundle[b.Field]) {
		b.Fatal("the new bundle has no new value")
	}
	for name := range b.Bundle {
		if _, ok := issued.Bundle[name]; !ok {
			b.Errorf("the new bundle lacks the field %s", name)
		}
	}
	b.mustAnswer(issued.Bundle, providers.Accepted, "the new secret")
	old := providers.Accepted
	if before.Caps.Mode == credential.ModeHardCutover {
		old = providers.Refused
	}
	b.mustAnswer(b.Bundle, old, "the old secret in mode "+string(before.Caps.Mode))
	mustBeListed(b, before, issued)
}

// mustBeListed checks that the new secret is found by its id, that nobody's id has changed, and that the id is new.
func mustBeListed(b *bench, before providers.Snapshot, issued providers.Issued) {
	b.Helper()
	if !before.Caps.StartReadable {
		return
	}
	after := b.inspect()
	listed, ok := after.Find(issued.Secret.ID)
	if issued.Secret.ID == "" || !ok {
		b.Fatalf("the new secret's id %q is not listed: %+v", issued.Secret.ID, after.Secrets)
	}
	if !listed.Start.Equal(issued.Secret.Start) || !listed.Expires.Equal(issued.Secret.Expires) {
		b.Errorf("the dates of the reply differ from the listed ones: %+v and %+v", issued.Secret, listed)
	}
	if _, known := before.Find(issued.Secret.ID); known {
		b.Errorf("the new id %q was listed before", issued.Secret.ID)
	}
	if before.Caps.Mode == credential.ModeHardCutover {
		return
	}
	for _, s := range before.Secrets {
		if _, ok := after.Find(s.ID); s.ID != "" && s.Slot != providers.SlotPrevious && !ok {
			b.Errorf("the old secret %q lost its id when the new one was made: %+v", s.ID, after.Secrets)
		}
	}
}

// createIsRefused: where a person makes the secrets, rotad makes none, and sends nothing that might.
func createIsRefused(b *bench) {
	made := b.Created()
	b.faults.set(b.Creates, nil)
	for _, target := range []providers.Target{b.Target, b.Unknown} {
		issued, err := b.provider.Create(b.Context(), target, providers.Request{Label: "rotad-by-hand"})
		_ = b.mustFail(err, "create", providers.ClassUnsupported)
		if len(issued.Bundle) > 0 || !issued.Raw.Empty() {
			b.Error("a refused create has a bundle or a reply")
		}
	}
	if b.faults.count() > 0 || b.Created() != made {
		b.Errorf("%d creates were sent and made %d secrets, want none", b.faults.count(), b.Created()-made)
	}
	b.mustAnswer(b.Bundle, providers.Accepted, "the first secret")
}

func createIsRepeatable(b *bench) {
	caps := b.inspect().Caps
	if !caps.Repeatable {
		return
	}
	r, made := b.request(caps), b.Created()
	first, err := b.provider.Create(b.Context(), b.Target, r)
	if err != nil {
		b.Fatal(err)
	}
	second, err := b.provider.Create(b.Context(), b.Target, r)
	if err != nil {
		b.Fatal(err)
	}
	if !first.Bundle.Equal(second.Bundle) || first.Secret.ID != second.Secret.ID || b.Created() != made+1 {
		b.Errorf("the same value twice made %d secrets, ids %q and %q", b.Created()-made, first.Secret.ID, second.Secret.ID)
	}
	if first.Secret.Label != r.Label && caps.Labels {
		b.Errorf("label %q, want %q", first.Secret.Label, r.Label)
	}
}

func valueSurvivesLostReadBack(b *bench) {
	caps := b.inspect().Caps
	r := b.request(caps)
	b.faults.failAfter(b.Creates)
	issued, err := b.provider.Create(b.Context(), b.Target, r)
	b.faults.failAfter(nil)
	if b.ValueIsRead {
		_ = b.mustFail(err, "create", providers.ClassIndeterminate)
		issued = b.readBackOf()
	} else if err != nil {
		b.Fatalf("the value came, and what followed failed: Create must return it: %v", err)
	}
	b.held = issued.Bundle
	b.mustAnswer(issued.Bundle, providers.Accepted, "the new secret")
}

// readBackOf reads a new value back that a create could not.
func (b *bench) readBackOf() providers.Issued {
	b.Helper()
	recoverer, ok := providers.AsRecoverer(b.provider)
	if !ok {
		b.Fatal("the reply of a create has no value, and the kind is no Recoverer")
	}
	issued, err := recoverer.Recover(b.Context(), b.Target)
	if err != nil || issued.Bundle[b.Field].Equal(b.Bundle[b.Field]) {
		b.Fatalf("the new value cannot be read back (%v)", err)
	}
	return issued
}

func recoverReadsCurrent(b *bench) {
	recoverer, ok := providers.AsRecoverer(b.provider)
	caps := b.inspect().Caps
	switch {
	case caps.Readable && !ok:
		b.Fatal("readable, and no Recoverer")
	case !ok:
		return
	case !caps.Readable: // a kind may learn only from the client what it can do
		_, err := recoverer.Recover(b.Context(), b.Target)
		_ = b.mustFail(err, "recover", providers.ClassUnsupported)
		return
	}
	got, err := recoverer.Recover(b.Context(), b.Target)
	if err != nil || !got.Bundle[b.Field].Equal(b.Bundle[b.Field]) {
		b.Fatalf("before a create Recover does not yield the first value (%v)", err)
	}
	issued := b.create(caps)
	got, err = recoverer.Recover(b.Context(), b.Target)
	if err != nil || !got.Bundle.Equal(issued.Bundle) || got.Secret.ID != issued.Secret.ID {
		b.Errorf("after a create Recover yields id %q, want %q (%v)", got.Secret.ID, issued.Secret.ID, err)
	}
	if !got.OldDies.Equal(issued.OldDies) {
		b.Errorf("after a create Recover says that the old one dies at %v, Create said %v", got.OldDies, issued.OldDies)
	}
}

func revokeDeletesOne(b *bench) {
	revoker, ok := providers.AsRevoker(b.provider)
	before := b.inspect()
	if !ok || before.Caps.Mode == credential.ModeHardCutover || len(before.Secrets) == 0 {
		return
	}
	old := before.Secrets[0].ID
	issued := b.create(before.Caps)
	b.activate(issued.Secret.ID, old)
	for range 2 { // the second time it is gone, which is what was wanted
		if err := revoker.Revoke(b.Context(), b.Target, old); err != nil {
			b.Fatalf("revoking: %v", err)
		}
		b.mustAnswer(b.Bundle, providers.Refused, "the revoked secret")
		b.mustAnswer(issued.Bundle, providers.Accepted, "the other secret")
	}
	if s, ok := b.inspect().Find(old); ok {
		b.Errorf("the revoked secret is still listed: %+v", s)
	}
	if b.offline {
		return
	}
	b.faults.set(func(*http.Request) bool { return true }, answer(http.StatusForbidden, "application/json", "{}"))
	_ = b.mustFail(revoker.Revoke(b.Context(), b.Target, old), "revoke", providers.ClassAuth)
}

func revokeSparesCurrent(b *bench) {
	revoker, ok := providers.AsRevoker(b.provider)
	caps := b.inspect().Caps
	if !ok {
		return
	}
	if err := revoker.Revoke(b.Context(), b.Target, "00000000-0000-0000-0000-000000000000"); err != nil {
		b.Errorf("revoking a secret that is not there: %v", err)
	}
	b.mustAnswer(b.Bundle, providers.Accepted, "the only secret")
	if caps.SlotRevoke {
		id := b.inspect().Secrets[0].ID
		_ = b.mustFail(revoker.Revoke(b.Context(), b.Target, id), "revoke", providers.ClassConflict)
		b.mustAnswer(b.Bundle, providers.Accepted, "the current secret")
	}
}

func unknownClient(b *bench) {
	caps, made, want := b.inspect().Caps, b.Created(), providers.ClassNotFound
	if b.Unknowable {
		want = providers.ClassAuth
	}
	if !b.NoLook {
		_, err := b.provider.Inspect(b.Context(), b.Unknown)
		_ = b.mustFail(err, "inspect", want)
	}
	_, err := b.provider.Create(b.Context(), b.Unknown, b.request(caps))
	_ = b.mustFail(err, "create", want)
	if b.Created() != made {
		b.Error("a create for an unknown client made a secret for another one")
	}
}

func timingIsKnown(b *bench) {
	timed, ok := providers.AsTimed(b.provider)
	if !ok || timed.Timing().Deadline <= 0 || timed.Timing().Propagation <= 0 {
		b.Error("the kind does not say its deadline and propagation")
	}
}

func concurrentUse(b *bench) {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			if i%2 == 0 {
				_, errs[i] = b.provider.Inspect(b.Context(), b.Target)
				return
			}
			var got providers.Answer
			if got, errs[i] = b.provider.Verify(b.Context(), b.Target, b.Bundle); got != providers.Accepted && errs[i] == nil {
				errs[i] = errors.New(got.String())
			}
		})
	}
	wg.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		b.Errorf("call %d of 8 at once: %v", i, errs[i])
	}
}
