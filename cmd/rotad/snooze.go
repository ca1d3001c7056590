package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

func newSnooze(a *app) *cobra.Command {
	var reason, until string
	cmd := a.aboutOne("snooze ID --until T", "Send no warnings about a client before a moment; the final one comes all the same.",
		func(cmd *cobra.Command, id string) error {
			ask := admin.Command{Verb: admin.VerbSnooze, Client: id, Reason: reason}
			if until == "" {
				return wrong(errors.New("rotad snooze needs --until"), "rotad snooze "+id+" --until 3d")
			}
			now, err := a.now(cmd.Context())
			if err != nil {
				return err
			}
			if ask.Until, err = parseMoment(until, now); err != nil {
				return wrong(fmt.Errorf("reading --until: %w", err), momentHint)
			}
			reply, err := a.do(cmd.Context(), ask)
			if err != nil {
				return err
			}
			return a.granted(reply.Record, "%s: no warnings before "+stamp(ask.Until))
		})
	cmd.Flags().StringVar(&until, "until", "", "when warnings go on: a duration (3d), a date (2026-05-01) or an RFC 3339 time")
	reasonFlag(cmd, &reason)
	return cmd
}

const momentHint = "write a duration such as 3d, a date such as 2026-05-01, or 2026-05-01T15:00:00Z"

// lastYear is the last one that JSON and the state file can hold; a zone can push a moment beyond it.
const lastYear = 9999

// parseMoment reads a moment: a duration from now, a date (its midnight in UTC), or an RFC 3339 time.
func parseMoment(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		if t = t.UTC(); t.Year() < 0 || t.Year() > lastYear {
			return time.Time{}, fmt.Errorf("%q is a moment outside of the years 0 to %d", text, lastYear)
		}
		return t, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	d, err := credential.ParseDuration(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no moment", text)
	}
	return now.Add(d).UTC().Truncate(time.Second), nil
}
