package providers

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Kind is an adapter as the composition root registers it: what it is called, what it can do, and how a strictly
// decoded block of settings becomes a Provider.
type Kind struct {
	Name    string
	Summary string   // one line for "rotad kinds"
	Modes   []string // overlap modes that it can show, most usual first
	Fields  []string // fields of the bundle
	Ref     []string // fields of a client's ref; a trailing "?" marks an optional one
	Rights  string   // least rights, for people
	Traits  Traits   // what it can do, before anybody has asked a server

	// Presets are settings for known providers, where the kind speaks to any; nil = it has none.
	Presets []Preset

	// Settings returns a pointer to a new settings struct with yaml tags. The configuration decodes the provider's
	// block into it strictly (unknown keys are errors) and then calls its Validate method, if it has one:
	// Validate(report func(path, what, hint string)).
	Settings func() any

	// Open builds a Provider from decoded settings.
	Open func(Opening) (Provider, error)
}

// Preset is a part of a provider's block that comes with the program, as text that can be copied.
type Preset struct {
	Name    string
	Summary string   // one line for "rotad kinds"
	Text    string   // YAML
	Modes   []string // overlap modes that it can show
	Rights  string   // least rights, for people
	Traits  Traits   // what it can do, before anybody has asked a server
}

// Opening is what Kind.Open gets.
type Opening struct {
	Name        string                            // of the configured provider
	Settings    any                               // what Kind.Settings returned, decoded
	Secret      func(name string) (string, error) // reads the secret setting "x" (from x_file or x_env) afresh
	Headers     map[string]string
	Deadline    time.Duration     // of a create; 0 = the kind's default
	Propagation time.Duration     // how long a change may take to be seen everywhere; 0 = the kind's default
	Transport   http.RoundTripper // nil = the default
	Log         *slog.Logger      // for what no error can carry; nil = none

	// Now is the wall clock, for what carries a time that others compare with theirs; nil = the real one.
	Now func() time.Time

	// Elapsed is a monotonic clock, for the life of rotad's own token; nil = the real one.
	Elapsed func() time.Duration
}

// Wall returns Now, or the real wall clock.
func (o Opening) Wall() func() time.Time {
	if o.Now == nil {
		return time.Now //nolint:forbidigo // where a test or a tool opens a provider
	}
	return o.Now
}

// Timing are the time limits of a provider that decisions are made with.
type Timing struct {
	Deadline    time.Duration // of a create
	Propagation time.Duration // bound after which a change is seen everywhere
}

// Timed is implemented by providers that know their Timing (every kind does, through httpapi).
type Timed interface {
	Timing() Timing
}

// Closer is implemented by providers that hold resources.
type Closer interface {
	Close(ctx context.Context) error
}
