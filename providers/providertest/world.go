package providertest

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// World is a server with one client that has a secret, and the adapter for it.
type World struct {
	// Name is the name that Open gives the provider; errors must carry it.
	Name string
	// Open opens the adapter. All its requests must go through the transport.
	Open func(t *testing.T, transport http.RoundTripper) providers.Provider
	// Transport reaches the server; nil = http.DefaultTransport.
	Transport http.RoundTripper

	// Target is a client that exists, and Unknown one that does not.
	// Where Held is nil the suite keeps bundles as Vault does: the newest that a create has returned, and Bundle at first.
	Target, Unknown providers.Target
	// Unknowable says that the server answers an unknown client like a wrong key to it (RFC 7592 section 2.1).
	Unknowable bool
	// Bundle is what the client logs in with at first.
	Bundle credential.Bundle
	// Field is the field of a bundle that holds the secret.
	Field string

	// Creates says whether a request is the one that creates, and Verifies whether it is one that verifies. Creates is nil where
	// neither a create nor a revoke asks anybody, Verifies where a proof asks nobody.
	Creates, Verifies func(*http.Request) bool
	// Reads says whether a request only reads though its form does not say so: a list that is asked for by a POST. nil = there is none.
	Reads func(*http.Request) bool
	// Created counts how many secrets have ever been made for Target at the server.
	Created func() int
	// Accepts asks the server directly; nil = the adapter's Verify is believed.
	Accepts func(b credential.Bundle) bool
	// NoLook says that the server has no call that shows a client: Inspect can neither miss one nor fail.
	NoLook bool
	// Canaries are clear values that must never stand in an error: rotad's own credential.
	Canaries []string
	// ValueIsRead says that the reply of a create has no value: it is read afterwards, and can be read back later.
	ValueIsRead bool
	// Mend gets a new key to the client by hand, and returns the bundle with it: where a provider replaces the key with
	// every create, a lost reply has taken it away. nil = a lost reply takes no key away.
	Mend func(held credential.Bundle) credential.Bundle
	// Expires is the expiry that creates ask for; zero = none.
	Expires time.Time
	// Bridged says that the adapter's requests come from another process and through Bridge: a refused connection
	// reaches it as one that was cut.
	Bridged bool
}

// bench is one test's World with its adapter, fault injection in between.
type bench struct {
	World
	*testing.T

	provider providers.Provider
	faults   *faults
	offline  bool                // neither a create nor a revoke asks anybody
	seen     []credential.Bundle // every bundle that must not stand in an error
	held     credential.Bundle   // what Vault would hold
}

func newBench(t *testing.T, build func(t *testing.T) World) *bench {
	t.Helper()
	w := build(t)
	if w.Transport == nil {
		w.Transport = http.DefaultTransport
	}
	b := &bench{World: w, T: t, faults: &faults{next: w.Transport}, seen: []credential.Bundle{w.Bundle}, held: w.Bundle}
	for _, target := range []*providers.Target{&b.Target, &b.Unknown} {
		if target.Held == nil {
			target.Held = func(context.Context) (credential.Bundle, error) { return maps.Clone(b.held), nil }
		}
	}
	if b.Creates == nil {
		b.offline, b.Creates = true, func(*http.Request) bool { return false }
	}
	b.provider = w.Open(t, b.faults)
	return b
}

func (b *bench) inspect() providers.Snapshot {
	b.Helper()
	s, err := b.provider.Inspect(b.Context(), b.Target)
	if err != nil {
		b.Fatalf("inspecting: %v", err)
	}
	return s
}

// request is what a create asks for; a value of our own where rotad makes it.
func (b *bench) request(caps credential.Capabilities) providers.Request {
	b.Helper()
	r := providers.Request{Label: credential.LabelsOf(rand.Text()[:12]) + "1", Reason: "conformance", Expires: b.Expires}
	if !caps.Mode.Chosen() {
		return r
	}
	g, ok := providers.AsGenerator(b.provider)
	if !ok {
		b.Fatal("the mode is " + string(caps.Mode) + " and the kind is no Generator")
	}
	var err error
	if r.Proposed, err = g.Generate(b.Target); err != nil {
		b.Fatalf("generating: %v", err)
	}
	b.seen = append(b.seen, r.Proposed)
	return r
}

func (b *bench) create(caps credential.Capabilities) providers.Issued {
	b.Helper()
	issued, err := b.provider.Create(b.Context(), b.Target, b.request(caps))
	if err != nil {
		b.Fatalf("creating: %v", err)
	}
	b.seen, b.held = append(b.seen, issued.Bundle), issued.Bundle
	return issued
}

// mustAnswer asks the adapter, and the server itself where it can be asked.
func (b *bench) mustAnswer(bundle credential.Bundle, want providers.Answer, what string) {
	b.Helper()
	got, err := b.provider.Verify(b.Context(), b.Target, bundle)
	if got != want {
		b.Errorf("%s: Verify says %s (%v), want %s", what, got, err, want)
	}
	if b.Accepts != nil && b.Accepts(bundle) != (want == providers.Accepted) {
		b.Errorf("%s: the server itself disagrees with %s", what, want)
	}
}

func (b *bench) with(value string) credential.Bundle {
	out := maps.Clone(b.Bundle)
	out[b.Field] = credential.NewSensitive(value)
	return out
}

// mustFail checks everything that is true of every error: it is typed, names provider and operation, and carries
// neither a body nor a secret.
func (b *bench) mustFail(err error, operation string, want ...providers.Class) *providers.Error {
	b.Helper()
	if err == nil {
		b.Fatalf("%s: no error, want %v", operation, want)
	}
	var e *providers.Error
	if !errors.As(err, &e) {
		b.Fatalf("%s: the error is a %T, want a *providers.Error: %v", operation, err, err)
	}
	if e.Provider != b.Name || e.Operation != operation {
		b.Errorf("the error names provider %q and operation %q, want %q and %q", e.Provider, e.Operation, b.Name, operation)
	}
	found := false
	for _, class := range want {
		found = found || e.Class == class
	}
	if !found {
		b.Errorf("%s: class %s, want one of %v: %v", operation, e.Class, want, err)
	}
	b.mustBeClean(err.Error())
	return e
}

func (b *bench) mustBeClean(text string) {
	b.Helper()
	for _, canary := range append([]string{bodyCanary}, b.Canaries...) {
		if strings.Contains(text, canary) {
			b.Errorf("an error repeats a body or a secret: %q", canary)
		}
	}
	for _, bundle := range b.seen {
		for _, field := range []string{b.Field, credential.FieldRegistrationToken} {
			if value := bundle[field].Reveal(); value != "" && strings.Contains(text, value) {
				b.Errorf("an error repeats a client's %s", field)
			}
		}
	}
}
