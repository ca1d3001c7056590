package rotation

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// look observes provider and Vault. It asks with Vault's value where that is to be proved: at first sight, before an
// intent, while a hold may end by itself, when Vault has another version than the recorded one, and where the provider
// shows nothing by which a change could be seen.
func (r *run) look(ctx context.Context, prove bool) Outcome {
	l := &Look{Found: true}
	consumer, err := r.lookAtVault(ctx, l) // before the list, so that the list knows the secret whose value was read
	if err != nil {
		return failed(err)
	}
	l.At = r.Now()
	snap, err := r.provider.Inspect(ctx, r.target())
	if providers.ClassOf(err) == providers.ClassNotFound {
		return Outcome{Result: Done, Look: &Look{}}
	}
	if err != nil {
		return failed(err)
	}
	l.Snapshot = snap
	if prove || r.unsure(l) || blind(snap) {
		r.proveCurrent(ctx, l, consumer)
	}
	if l.HasValue && snap.Caps.Readable {
		l.ReadBack = r.readBack(ctx, consumer.Bundle)
	}
	return Outcome{Result: Done, Look: l, Clock: r.clock(ctx, snap)}
}

// unsure says whether the record or Vault gives reason to ask with Vault's value.
func (r *run) unsure(l *Look) bool {
	retry := r.rec.Hold != nil && r.rec.Hold.Retry
	sight := r.rec.Sight == credential.SightNone || r.rec.Sight == credential.SightMismatch
	moved := l.Version != r.rec.Version && !l.Same || reused(&r.rec, l.Version, l.Written)
	unnamed := r.rec.Sight == credential.SightUnknownID // no list shows whether it is still there
	return brokenOff(&r.rec) || retry || sight || unnamed || r.rec.Presumed || r.rec.Refused > 0 || moved
}

// brokenOff says whether nobody has looked since a rotation was broken off: what it has left behind is not known.
func brokenOff(rec *credential.Record) bool {
	last := rec.Last
	return last.Outcome != "" && last.Outcome != "done" && !rec.Looked.After(last.At)
}

// blind says whether the provider shows nothing of the secret that Vault hands out.
func blind(snap providers.Snapshot) bool {
	return !snap.Caps.Readable && !snap.Caps.StartReadable && len(snap.Secrets) == 0
}

// clock returns an independent time: Vault's, else the provider's.
func (r *run) clock(ctx context.Context, snap providers.Snapshot) time.Time {
	if t, err := r.Vault.Time(ctx); err == nil && !t.IsZero() {
		return t
	}
	return snap.Time
}

func (r *run) lookAtVault(ctx context.Context, l *Look) (credential.Consumer, error) {
	entry, err := r.Vault.Staging(ctx, r.key())
	if err != nil {
		return credential.Consumer{}, err
	}
	entry.Bundle, entry.Raw = nil, credential.Sensitive{}
	l.Staging = entry
	path := r.client().Vault
	consumer, err := r.Vault.Consumer(ctx, path, 0)
	if err != nil {
		return consumer, err
	}
	l.Version, l.Written, l.HasValue = consumer.Version, consumer.Created, hasValue(consumer)
	if known := r.rec.Version; known != 0 && known != consumer.Version {
		before, err := r.Vault.Consumer(ctx, path, known)
		if err != nil {
			return consumer, err
		}
		if hasValue(before) && !reused(&r.rec, before.Version, before.Created) { // else a write after a restore has taken its number
			l.Compared, l.Same = true, before.Bundle.Login().Equal(consumer.Bundle.Login())
		}
	}
	return consumer, nil
}

// hasValue says whether a version holds something to log in with.
func hasValue(c credential.Consumer) bool {
	if c.Deleted {
		return false
	}
	for name, value := range c.Bundle {
		if credential.IsSecret(name) && !value.Empty() {
			return true
		}
	}
	return false
}

// proveCurrent asks with Vault's value, and once per client with a random one: a verifier that accepts anything proves
// nothing.
func (r *run) proveCurrent(ctx context.Context, l *Look, consumer credential.Consumer) {
	bundle := consumer.Bundle
	if l.HasValue {
		l.Answer, l.NoProof, l.Failure = r.ask(ctx, bundle)
		l.Hinted = hinted(l.Snapshot.Secrets, bundle)
	}
	if r.rec.Proved || l.NoProof || !l.HasValue {
		return
	}
	var noProof bool
	var f Failure
	l.Random, noProof, f = r.ask(ctx, randomLike(bundle))
	l.NoProof = l.NoProof || noProof
	if l.Failure.Text == "" {
		l.Failure = f
	}
}

// randomLike returns a bundle of the same shape with a random value for every secret field.
func randomLike(b credential.Bundle) credential.Bundle {
	random := credential.Bundle{}
	for name, value := range b {
		if !credential.IsSecret(name) {
			random[name] = value
			continue
		}
		random[name] = credential.NewSensitive(rand.Text())
	}
	return random
}

// hinted returns the ids of the listed secrets that a bundle names, or whose hint fits the beginning of its value.
func hinted(list []credential.Secret, b credential.Bundle) []string {
	var ids []string
	for _, secret := range list {
		named := secret.ID != "" && secret.ID == b.Names() // a key says which one it is
		if named || secret.Hint != "" && strings.HasPrefix(b.Secret().Reveal(), secret.Hint) {
			ids = append(ids, secret.ID)
		}
	}
	return ids
}

func (r *run) readBack(ctx context.Context, vaults credential.Bundle) ReadBack {
	recoverer, ok := providers.AsRecoverer(r.provider)
	if !ok {
		return ReadNot
	}
	issued, err := recoverer.Recover(ctx, r.target())
	switch {
	case err != nil:
		return ReadNot
	case issued.Bundle.Secret().Equal(vaults.Secret()):
		return ReadEqual
	}
	return ReadOther
}
