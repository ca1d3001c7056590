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
	repeat string // the command that runs it at full size
	leaves string // a directory in which it leaves files of its own making: they are a finding, not somebody's change
}

// parts are in the order of the table. A result is named after one of them, perhaps with a suffix.
func parts() []part {
	return []part{
		{name: "sim", what: "every schedule of faults, and random ones", repeat: "make sim"},
		{name: "years", what: "years of a fleet, in simulated time", repeat: "make years"},
		{name: "kills", what: "the daemon killed, against real servers", repeat: "make kills"},
		{name: "mails", what: "the daemon killed while it sends mails", repeat: "make mails"},
		{name: "power", what: "power cuts and full disks", repeat: "make power"},
		{name: "wire", what: "faults on the wire", repeat: "make wire"},
		{name: "mutants", what: "deliberate breaks that a test must catch", repeat: "make mutants"},
		{name: "canary", what: "clear secrets in what left the process", repeat: "make canary"},
		{name: "fuzz", what: "hostile bytes to all that parses", repeat: "make fuzz TIME=30s", leaves: "testdata/fuzz"},
	}
}

// failed is the name under which a run stands that ended badly and measured nothing.
func (p part) failed() string { return p.name + "-failed" }

// owns says whether a result belongs to the part.
func (p part) owns(result string) bool {
	return result == p.name || strings.HasPrefix(result, p.name+"-")
}

func known(result string) bool {
	return slices.ContainsFunc(parts(), func(p part) bool { return p.owns(result) })
}

// choose returns the parts that were named, in the order of the table, and all of them where none was.
func choose(names []string) ([]part, error) {
	all := parts()
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p part) bool { return p.name == name }) {
			return nil, fmt.Errorf("choosing the parts: there is no part %q", name)
		}
	}
	return slices.DeleteFunc(all, func(p part) bool { return !slices.Contains(names, p.name) }), nil
}
