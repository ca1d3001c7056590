package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/rotad/rotad/internal/credential"
)

const nothingRotated = "nothing was rotated"

// confirmCompromised says what dies at once, and asks for the last word, unless that was given with the command.
func (a *app) confirmCompromised(ctx context.Context, id string, yes bool) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	rec, err := s.record(ctx, id)
	if err != nil {
		return err
	}
	for _, line := range dies(rec) {
		a.note(line)
	}
	if yes {
		return nil
	}
	in, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return wrong(errors.New("--compromised asks before it goes on, and nobody sits at a terminal"), "add --yes")
	}
	q := &questions{in: bufio.NewReader(in), out: a.err, nothing: nothingRotated}
	answer, err := q.ask(ctx, "type the client's id to go on", "")
	switch {
	case err != nil:
		return err
	case answer != id:
		return refused(errors.New(nothingRotated), "the answer was not "+id)
	}
	return nil
}

// dies says what stops working, and when.
func dies(rec credential.Record) []string {
	id, caps := rec.Client.ID, rec.Caps
	lines := []string{fmt.Sprintf("%s: the secret %s is revoked as soon as Vault hands out a new one: no overlap, no window", id, orDash(rec.Current.ID))}
	if r := rec.Rotation; r != nil && r.Promoted != 0 {
		lines = append(lines, fmt.Sprintf("the rotation under way is cut short: %s is revoked now; then %s as well, after one more rotation", orDash(r.Old.ID), orDash(r.New.ID)))
	}
	switch {
	case caps.Mode == credential.ModeGraceWindow && !caps.SlotRevoke:
		lines = append(lines, "the provider itself keeps the old secret until its own timer ends it; rotad cannot shorten that: look whether the portal can")
	case caps.Mode == credential.ModeHardCutover:
		lines = append(lines, "the provider ends the old secret when it makes the new one, which is before Vault has it: every login fails for some seconds")
	}
	return append(lines,
		"whoever has not read the new one by then cannot log in; destinations are written and consumers reloaded at once, and not waited for",
		"tokens that were fetched with it live on until they expire: the mail to the owner says what is left to do")
}
