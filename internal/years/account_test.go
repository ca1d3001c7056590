package years_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/providers"
)

// account is one client at its provider: its secrets, and what the provider does when another is made.
type account struct {
	id     string
	caps   credential.Capabilities
	life   time.Duration // of a new secret; 0 = for ever
	clocks *clocks

	mu      sync.Mutex
	chance  *rand.Rand // of faults at this client's calls
	secrets []*held
	made    int
	file    dossier // what the judge knows of this client
}

// held is one secret that stands at the provider.
type held struct {
	credential.Secret
	value string
	maker oracle.Maker
	once  bool      // Vault has handed it out
	dies  time.Time // when the provider drops it, other than by its expiry; zero = it does not
}

func (h *held) live(now time.Time) bool {
	return (h.dies.IsZero() || now.Before(h.dies)) && (h.Expires.IsZero() || now.Before(h.Expires))
}

// make adds a secret, as this mode of provider does: in a grace window the current one counts down and an earlier one
// dies at once, in a hard cutover all die.
func (a *account) make(label, value string, maker oracle.Maker) *held {
	now := a.clocks.truth().Truncate(time.Microsecond)
	a.retire(now)
	a.made++
	if value == "" {
		value = fmt.Sprintf("%s-value-%d-%d", a.id, a.made, a.chance.Uint64())
	}
	s := &held{value: value, maker: maker}
	s.ID, s.Start = fmt.Sprintf("%s-secret-%d", a.id, a.made), now
	if a.caps.Labels {
		s.Label = label
	}
	if a.life > 0 {
		s.Expires = now.Add(a.life)
	}
	a.secrets = append(slices.DeleteFunc(a.secrets, func(h *held) bool { return !h.live(now) }), s)
	return s
}

func (a *account) retire(now time.Time) {
	for i, s := range a.secrets {
		last := i == len(a.secrets)-1
		switch {
		case a.caps.Mode == credential.ModeHardCutover, a.caps.Mode == credential.ModeGraceWindow && !last:
			if s.dies.IsZero() || s.dies.After(now) {
				s.dies = now
			}
		case a.caps.Mode == credential.ModeGraceWindow:
			s.dies = now.Add(a.caps.Grace)
		}
	}
}

func (a *account) accepts(value string) bool {
	now := a.clocks.truth()
	return slices.ContainsFunc(a.secrets, func(h *held) bool { return h.value == value && h.live(now) })
}

// find returns the secret with a value.
func (a *account) find(value string) *held {
	for _, s := range a.secrets {
		if s.value == value {
			return s
		}
	}
	return nil
}

func (a *account) drop(id string) {
	a.secrets = slices.DeleteFunc(a.secrets, func(h *held) bool { return h.ID == id })
}

// snapshot lists the secrets as a provider of this mode shows them.
func (a *account) snapshot() providers.Snapshot {
	now := a.clocks.truth()
	snap := providers.Snapshot{Caps: a.caps, ClientID: a.id, Time: now}
	for i, s := range a.secrets {
		shown := s.Secret
		if !s.dies.IsZero() {
			shown.Expires = s.dies
		}
		switch a.caps.Mode {
		case credential.ModeTwoSlot, credential.ModeCaller:
			snap.Secrets = append(snap.Secrets, shown)
		case credential.ModeGraceWindow, credential.ModeHardCutover:
			if !a.caps.StartReadable || !s.live(now) {
				continue
			}
			shown.Slot = providers.SlotPrevious
			if i == len(a.secrets)-1 {
				shown.Slot = providers.SlotCurrent
			}
			snap.Secrets = append([]credential.Secret{shown}, snap.Secrets...)
		default:
		}
	}
	return snap
}

func (a *account) issued(s *held) providers.Issued {
	issued := providers.Issued{Secret: s.Secret, Bundle: bundle(a.id, s.value)}
	if n := len(a.secrets); a.caps.Mode == credential.ModeGraceWindow && n > 1 {
		issued.OldDies = a.secrets[n-2].dies
	}
	return issued
}

func bundle(client, value string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(client), credential.FieldClientSecret: credential.NewSensitive(value),
	}
}

// tenant is a provider with many clients. Its calls fail while it is away, and now and then by themselves.
type tenant struct {
	name     string
	accounts map[string]*account
	away     *outage
	judge    *judge
	faults   bool
}

// timing is that of every modelled provider.
func timing() providers.Timing {
	return providers.Timing{Deadline: 10 * time.Second, Propagation: 20 * time.Second}
}

func (t *tenant) refused(operation string) error {
	return &providers.Error{Class: providers.ClassUnavailable, Provider: t.name, Operation: operation}
}

func (t *tenant) lost(operation string) error {
	return &providers.Error{Class: providers.ClassIndeterminate, Provider: t.name, Operation: operation, Err: context.DeadlineExceeded}
}

// call lets a call take effect, or not. What takes effect may still lose its reply, and what never
// arrived looks the same.
func (t *tenant) call(a *account, operation string, do func()) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.away.now() {
		return t.refused(operation)
	}
	fate := 100
	if t.faults {
		fate = a.chance.IntN(100)
	}
	switch {
	case fate == 0 && operation != "inspect":
		return t.refused(operation)
	case fate == 1 && operation == "revoke", fate < 5 && operation == "create":
		return t.lost(operation) // it never arrived
	}
	do()
	if fate >= 95 && fate < 99 && (operation == "create" && recoverable(a.caps) || operation == "revoke") {
		return t.lost(operation)
	}
	return nil
}

// recoverable says whether a lost reply of a create costs nobody but rotad: elsewhere it takes a person.
func recoverable(c credential.Capabilities) bool {
	return c.Mode == credential.ModeTwoSlot || c.Mode == credential.ModeCaller || c.Readable
}

// Inspect lists a client's secrets.
func (t *tenant) Inspect(_ context.Context, target providers.Target) (snap providers.Snapshot, err error) {
	a := t.accounts[target.Client]
	err = t.call(a, "inspect", func() { snap = a.snapshot() })
	return snap, err
}

// Create makes a secret. It takes a while.
func (t *tenant) Create(ctx context.Context, target providers.Target, r providers.Request) (issued providers.Issued, err error) {
	a := t.accounts[target.Client]
	if t.faults {
		select {
		case <-ctx.Done():
			return issued, t.lost("create")
		case <-time.After(2 * time.Second):
		}
	}
	err = t.call(a, "create", func() {
		proposed := r.Proposed.Secret().Reveal()
		t.judge.act(a, oracle.Act{Kind: oracle.Create, Label: r.Label, Value: proposed})
		s := a.find(proposed)
		if s == nil || proposed == "" {
			s = a.make(r.Label, proposed, oracle.ByRotad)
		}
		issued = a.issued(s)
	})
	if err != nil {
		return providers.Issued{}, err
	}
	return issued, nil
}

// Verify says whether a bundle logs in.
func (t *tenant) Verify(_ context.Context, target providers.Target, b credential.Bundle) (providers.Answer, error) {
	a, answer := t.accounts[target.Client], providers.Refused
	err := t.call(a, "verify", func() {
		if a.accepts(b.Secret().Reveal()) {
			answer = providers.Accepted
		}
	})
	if err != nil {
		return providers.Unknown, err
	}
	return answer, nil
}

// Recover reads the current value back.
func (t *tenant) Recover(_ context.Context, target providers.Target) (issued providers.Issued, err error) {
	a := t.accounts[target.Client]
	if !a.caps.Readable {
		return issued, &providers.Error{Class: providers.ClassUnsupported, Provider: t.name, Operation: "recover"}
	}
	err = t.call(a, "recover", func() { issued = a.issued(a.secrets[len(a.secrets)-1]) })
	return issued, err
}

// Revoke deletes one secret by its id.
func (t *tenant) Revoke(_ context.Context, target providers.Target, id string) error {
	a := t.accounts[target.Client]
	return t.call(a, "revoke", func() {
		if slices.ContainsFunc(a.secrets, func(h *held) bool { return h.ID == id }) {
			t.judge.act(a, oracle.Act{Kind: oracle.Revoke, ID: id})
			a.drop(id)
		}
	})
}

// Generate chooses a value.
func (t *tenant) Generate(target providers.Target) (credential.Bundle, error) {
	a := t.accounts[target.Client]
	a.mu.Lock()
	defer a.mu.Unlock()
	return bundle(a.id, fmt.Sprintf("%s-chosen-%d", a.id, a.chance.Uint64())), nil
}
