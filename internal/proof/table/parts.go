package main

import (
	"fmt"
	"slices"
	"strings"
)

// part is one part of the proof: what docs/proof.md promises, whether it has run or not.
type part struct {
	name   string
	what   string
	repeat string // the command that repeats it at full size
}

// parts are in the order of the table. A result is named after one of them, perhaps with a suffix.
func parts() []part {
	return []part{
		{"sim", "every schedule of faults, and random ones", "make sim"},
		{"years", "years of a fleet, in simulated time", "make years"},
		{"kills", "the daemon killed, against real servers", "make kills"},
		{"power", "power cuts and full disks", "make power"},
		{"wire", "faults on the wire", "make wire"},
		{"mutants", "deliberate breaks that a test must catch", "make mutants"},
		{"canary", "clear secrets in what left the process", "make canary"},
		{"fuzz", "hostile bytes to all that parses", "make fuzz TIME=30s"},
	}
}

// choose returns the named parts in the order of the table; without a name, all of them.
func choose(names []string) ([]part, error) {
	all := parts()
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p part) bool { return p.name == name }) {
			return nil, fmt.Errorf("the proof has no part %q", name)
		}
	}
	return slices.DeleteFunc(all, func(p part) bool { return !slices.Contains(names, p.name) }), nil
}

// owns says whether a result belongs to the part.
func (p part) owns(result string) bool {
	return result == p.name || strings.HasPrefix(result, p.name+"-")
}
