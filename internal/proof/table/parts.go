package main

import "strings"

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
		{"fuzz", "hostile bytes to all that parses", "make fuzz"},
	}
}

// owns says whether a result belongs to the part.
func (p part) owns(result string) bool {
	return result == p.name || strings.HasPrefix(result, p.name+"-")
}

func known(result string) bool {
	for _, p := range parts() {
		if p.owns(result) {
			return true
		}
	}
	return false
}
