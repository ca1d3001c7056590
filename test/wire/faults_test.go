package wire_test

import (
	"context"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// The lines between the daemon and the servers.
const (
	lineProvider = "provider"
	lineVault    = "vault"
	lineMail     = "mail"
)

// The directions of a fault: what goes to the server, and what comes from it.
const (
	upstream   = "upstream"
	downstream = "downstream"
)

// deadline bounds every request of the daemon that has a setting for it. The faults are longer than it where they are
// meant to be.
const deadline = 3 * time.Second

// fault is one way to break a line. Apply and lift are undone by each other.
type fault struct {
	name  string
	apply func(context.Context, *servers.Line) error
	lift  func(context.Context, *servers.Line) error
}

// combination is one fault on one line.
type combination struct {
	line string
	fault
}

func (c combination) String() string { return c.line + " " + c.name }

// toxics are the faults of toxiproxy. Each has a direction. The sizes are chosen so that small answers are slow and
// large ones miss their deadline, and so that a connection is cut in its headers as well as in its body.
func toxics(stream string) []fault {
	milliseconds := func(d time.Duration) int64 { return d.Milliseconds() }
	list := []struct {
		name, kind string
		attributes map[string]any
	}{
		{"latency", "latency", map[string]any{"latency": 700, "jitter": 600}},
		{"late", "latency", map[string]any{"latency": milliseconds(deadline + 500*time.Millisecond), "jitter": 1000}},
		{"drip", "bandwidth", map[string]any{"rate": 1}},
		{"slices", "slicer", map[string]any{"average_size": 40, "size_variation": 20, "delay": 60_000}},
		{"reset", "reset_peer", map[string]any{"timeout": 0}},
		{"reset-late", "reset_peer", map[string]any{"timeout": 300}},
		{"half-closed", "slow_close", map[string]any{"delay": milliseconds(2 * deadline)}},
		{"cut-early", "limit_data", map[string]any{"bytes": 90}},
		{"cut-late", "limit_data", map[string]any{"bytes": 700}},
		{"black-hole", "timeout", map[string]any{"timeout": 0}},
		{"hang-up", "timeout", map[string]any{"timeout": 400}},
	}
	var faults []fault
	for _, item := range list {
		toxic := servers.Toxic{Type: item.kind, Stream: stream, Attributes: item.attributes}
		faults = append(faults, fault{
			name:  item.name + " " + stream,
			apply: func(ctx context.Context, l *servers.Line) error { return l.Poison(ctx, toxic) },
			lift:  func(ctx context.Context, l *servers.Line) error { return l.Heal(ctx) },
		})
	}
	return faults
}

// refused closes the port; nobody listens.
func refused() fault {
	return fault{
		name:  "refused",
		apply: func(ctx context.Context, l *servers.Line) error { return l.Shut(ctx) },
		lift:  func(ctx context.Context, l *servers.Line) error { return l.Open(ctx) },
	}
}

// leads lets another server answer in the place of the real one.
func leads(name, target string) fault {
	return fault{
		name:  name,
		apply: func(ctx context.Context, l *servers.Line) error { return l.Lead(ctx, target) },
		lift:  func(ctx context.Context, l *servers.Line) error { return l.Open(ctx) },
	}
}

// everything is every fault on every line.
func everything(h *hostile) []combination {
	var list []combination
	for _, line := range []string{lineProvider, lineVault, lineMail} {
		faults := append(toxics(upstream), toxics(downstream)...)
		faults = append(faults, refused())
		for _, manner := range manners() {
			faults = append(faults, leads(manner, h.address(line, manner)))
		}
		for _, f := range faults {
			list = append(list, combination{line, f})
		}
	}
	return list
}
