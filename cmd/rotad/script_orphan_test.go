package main

import (
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

var lastRotation = regexp.MustCompile(`"last": \{\s*"rotation": "([^"]+)"`)

// stray lets a secret appear at the provider, as a create does whose reply was lost long ago: stray last has the label of the
// last rotation that rotad show --json has just told, stray LABEL that one.
func stray(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stray last|LABEL")
	}
	label := args[0]
	if label == "last" {
		m := lastRotation.FindStringSubmatch(ts.ReadFile("stdout"))
		if m == nil {
			ts.Fatalf("the last output tells no rotation")
		}
		label = credential.Label(m[1], 1)
	}
	_, _, err := scripted(ts).idp.Issue(storyApp, sandbox.Issue{Label: label, TTL: 90 * 24 * time.Hour, KeepOld: -1})
	ts.Check(err)
}
