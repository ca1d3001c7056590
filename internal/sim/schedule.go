package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rotad/rotad/internal/model"
)

// Point is one thing that goes wrong, or that somebody does, at one call.
type Point struct {
	At     int             // index of the call, counted from the registration
	Fault  model.FaultKind // what goes wrong with it; empty = nothing
	Action string          // what somebody does right before it; empty = nothing
}

// Schedule is a life with points.
type Schedule struct {
	Mode   string
	Points []Point
	Seed   uint64 // of the order in which two daemons take turns; 0 = there is one daemon
}

// String returns the line that repeats a schedule: "two-slot 12:timeout 31:hold".
func (s Schedule) String() string {
	var b strings.Builder
	b.WriteString(s.Mode)
	if s.Seed != 0 {
		fmt.Fprintf(&b, " seed=%d", s.Seed)
	}
	for _, p := range s.Points {
		fmt.Fprintf(&b, " %d:%s%s", p.At, p.Fault, p.Action)
	}
	return b.String()
}

var errSchedule = errors.New("a schedule is MODE [seed=N] and points CALL:FAULT or CALL:ACTION")

// Parse reads the line of a schedule.
func Parse(line string) (Schedule, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return Schedule{}, errSchedule
	}
	s := Schedule{Mode: words[0]}
	if _, ok := modeOf(s.Mode); !ok {
		return Schedule{}, fmt.Errorf("%w: there is no mode %q", errSchedule, s.Mode)
	}
	for _, word := range words[1:] {
		if err := s.parse(word); err != nil {
			return Schedule{}, err
		}
	}
	return s, nil
}

func (s *Schedule) parse(word string) error {
	if seed, ok := strings.CutPrefix(word, "seed="); ok {
		n, err := strconv.ParseUint(seed, 10, 64)
		s.Seed = n
		return err
	}
	at, what, ok := strings.Cut(word, ":")
	n, err := strconv.Atoi(at)
	if !ok || err != nil {
		return fmt.Errorf("%w: %q", errSchedule, word)
	}
	p := Point{At: n}
	switch {
	case isFault(what):
		p.Fault = model.FaultKind(what)
	case isAction(what):
		p.Action = what
	default:
		return fmt.Errorf("%w: nothing is called %q", errSchedule, what)
	}
	s.Points = append(s.Points, p)
	return nil
}

func isFault(name string) bool {
	for _, call := range []string{"create", "revoke", "inspect", "verify", "vault.read", "vault.stage", "commit"} {
		if slices.Contains(model.Outcomes(call), model.FaultKind(name)) {
			return true
		}
	}
	return false
}

func modeOf(name string) (Mode, bool) {
	modes := Modes()
	i := slices.IndexFunc(modes, func(m Mode) bool { return m.Name == name })
	if i < 0 {
		return Mode{}, false
	}
	return modes[i], true
}
