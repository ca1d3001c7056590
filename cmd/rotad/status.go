package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// statusRow is a client as "rotad status" shows it.
type statusRow struct {
	Client   string              `json:"client"`
	Provider string              `json:"provider"`
	Owner    string              `json:"owner"`
	Mode     credential.Mode     `json:"mode,omitempty"`
	Phase    credential.Phase    `json:"phase"`
	Sight    string              `json:"sight,omitempty"`
	Expires  time.Time           `json:"expires,omitzero"`
	Never    bool                `json:"never_expires,omitzero"`
	NoExpiry credential.NoExpiry `json:"no_expiry,omitzero"` // who stands for a secret that never expires
	Next     string              `json:"next_action"`
	NextAt   time.Time           `json:"next_action_at,omitzero"`
	Hold     credential.HoldCode `json:"hold,omitempty"`
	Deadline time.Time           `json:"hold_deadline,omitzero"`
	Error    string              `json:"error,omitempty"`
	Leaving  bool                `json:"leaving,omitzero"`
	Moved    int                 `json:"consumers_moved,omitempty"`
	Of       int                 `json:"consumers,omitempty"`
}

func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List the clients, the most urgent first.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context()) },
	}
}

func (a *app) status(ctx context.Context) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	rows := []statusRow{}
	err = s.each(ctx, func(rec credential.Record) error {
		rows = append(rows, rowOf(rec, s.policy(rec), s.world.Now))
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(rows, moreUrgent)
	if a.json {
		return printJSON(a.out, rows)
	}
	if err := a.statusTable(rows, s.world.Now); err != nil {
		return err
	}
	a.standstills(s.world.Providers)
	return nil
}

// standstills says under which providers nothing begins that can wait.
func (a *app) standstills(all []admin.ProviderState) {
	for _, p := range all {
		switch {
		case !p.Away.IsZero():
			a.note(fmt.Sprintf("%s has not answered since %s (%d calls in a row); it is asked again at %s", clean(p.Provider), stamp(p.Away), p.Silent, stamp(p.Again)))
		case p.Stopped:
			a.note(fmt.Sprintf("rotations of %s stand still, %d wait: rotad wave %s", clean(p.Provider), p.Wave.Waiting, quote(p.Provider)))
		}
	}
}

func rowOf(rec credential.Record, p credential.Policy, now time.Time) statusRow {
	o := look(rec, p, now)
	row := statusRow{
		Client: rec.Client.ID, Provider: rec.Client.Provider, Owner: rec.Client.Owner, Mode: rec.Mode(), Phase: rec.Phase(),
		Sight: string(rec.Sight), Expires: rotation.Ends(rec), Never: rec.Current.Never, Next: o.Next, NextAt: o.NextAt,
		Error: rec.Backoff.Error, Leaving: rec.Leaving,
	}
	row.Moved, row.Of = rec.Moved()
	if row.Expires.IsZero() {
		row.NoExpiry = rec.Client.NoExpiry
	}
	if rec.Hold != nil {
		row.Hold, row.Deadline = rec.Hold.Code, rec.Hold.Deadline
	}
	return row
}

// moreUrgent puts holds and failures first, then rotations under way, then what expires soonest.
func moreUrgent(a, b statusRow) int {
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)), soonest(a.Deadline, b.Deadline), soonest(a.Expires, b.Expires),
		soonest(a.NextAt, b.NextAt), cmp.Compare(a.Client, b.Client),
	)
}

func rank(r statusRow) int {
	switch {
	case r.Hold != "", r.Error != "":
		return 0
	case r.Phase != credential.PhaseSteady:
		return 1
	case r.Leaving:
		return 3
	}
	return 2
}

// soonest orders moments; one that never comes is the last.
func soonest(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

func (a *app) statusTable(rows []statusRow, now time.Time) error {
	if len(rows) == 0 {
		return printed(fmt.Fprintln(a.out, "no client is registered; rotad add, rotad import, or clients: in the configuration"))
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "CLIENT\tPROVIDER\tMODE\tPHASE\tEXPIRES\tNEXT\tWHEN\tHOLD")
	for _, r := range rows {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", clean(r.Client), clean(r.Provider), orDash(string(r.Mode)), phaseText(r),
			expiryText(r, now), r.Next, whenShort(r.NextAt, now), troubleText(r))
	}
	return printed(0, w.Flush())
}

// troubleText is the hold, or the word that something fails: "rotad show" says what.
func troubleText(r statusRow) string {
	if r.Hold == "" && r.Error != "" {
		return "(failing)"
	}
	return orDash(string(r.Hold))
}

func phaseText(r statusRow) string {
	switch {
	case r.Leaving:
		return string(r.Phase) + ", leaving"
	case r.Phase == credential.PhaseSteady && r.Sight != "" && r.Sight != string(credential.SightAdopted):
		return r.Sight
	}
	return string(r.Phase)
}

func expiryText(r statusRow, now time.Time) string {
	switch {
	case r.Never:
		return "never" + unendingText(r.NoExpiry, now)
	case r.Expires.IsZero():
		return "unknown" + unendingText(r.NoExpiry, now)
	}
	return r.Expires.Local().Format(time.DateOnly) + " (" + away(r.Expires, now) + ")"
}

// unendingText says who stands for a secret that never expires, until when and why.
func unendingText(n credential.NoExpiry, now time.Time) string {
	if n.IsZero() {
		return ""
	}
	verb := "until"
	if !n.Holds(now) {
		verb = "ended"
	}
	return " (" + clean(n.By) + ", " + verb + " " + n.Until.Local().Format(time.DateOnly) + ": " + clean(n.Reason) + ")"
}

func whenShort(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return when(t, now)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
