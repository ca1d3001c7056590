package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

// shownOnce is what everybody should know who waits for a value.
const shownOnce = "A provider shows the value of a secret once, when it is made. rotad catches it and puts it into Vault before anything else:\n" +
	"read it there (rotad show ID names path and version). Neither rotad nor the provider can show it again. If Vault has lost it,\n" +
	"make another one: rotad rotate ID where the provider has an API for it, else in its portal, and bring it with rotad submit ID."

func newRotate(a *app) *cobra.Command {
	var reason string
	var wait, compromised, yes bool
	cmd := a.aboutOne("rotate ID", "Rotate a client's secret now.", func(cmd *cobra.Command, id string) error {
		if compromised {
			if err := a.confirmCompromised(cmd.Context(), id, yes); err != nil {
				return err
			}
		}
		return a.rotate(cmd.Context(), admin.Command{Verb: admin.VerbRotate, Client: id, Reason: reason, Compromised: compromised}, wait)
	})
	cmd.Long = "Rotate a client's secret now.\n\n" + shownOnce
	cmd.Flags().BoolVar(&compromised, "compromised", false, "somebody has the secret who must not: no overlap, no window, the old one is revoked at once")
	cmd.Flags().BoolVar(&yes, "yes", false, "with --compromised: do not ask before")
	cmd.Flags().BoolVar(&wait, "wait", false, "follow it to the overlap, and end with the command that shows the new version")
	reasonFlag(cmd, &reason)
	return cmd
}

func (a *app) rotate(ctx context.Context, c admin.Command, wait bool) error {
	reply, err := a.do(ctx, c)
	if err != nil {
		return err
	}
	if !wait {
		return a.granted(reply.Record, "%[1]s is going to be rotated; rotad show %[1]s says how far it is")
	}
	if reply.Record == nil {
		return a.granted(nil, "")
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	f := follower{app: a, reader: client, before: *reply.Record, after: time.After}
	done, err := f.follow(ctx)
	if err != nil {
		return err
	}
	return a.published(done)
}

// publication is what a rotation that was waited for ends with.
type publication struct {
	Client   string           `json:"client"`
	Rotation string           `json:"rotation"`
	Phase    credential.Phase `json:"phase"`
	Path     string           `json:"path"`
	Version  int              `json:"version"`
	Command  string           `json:"command"`
	OldUntil time.Time        `json:"old_until,omitzero"`
}

func (a *app) published(p publication) error {
	if a.json {
		return printJSON(a.out, p)
	}
	if !p.OldUntil.IsZero() {
		a.note("the old secret stays valid until " + stamp(p.OldUntil))
	}
	return printed(fmt.Fprintf(a.out, "%s version %d\n%s\n", p.Path, p.Version, p.Command))
}

// followPause is the pause between two looks at a record that is waited for.
const followPause = 250 * time.Millisecond

// follower waits until a requested rotation has published its secret.
type follower struct {
	*app
	reader admin.Reader
	before credential.Record // as the request left it
	after  func(time.Duration) <-chan time.Time
	said   string
}

func (f *follower) follow(ctx context.Context) (publication, error) {
	id := f.before.Client.ID
	for {
		rec, ok, err := f.reader.Get(ctx, id)
		switch {
		case ctx.Err() != nil:
			return publication{}, failed(errors.New("interrupted; the rotation goes on"), "rotad show "+id)
		case err != nil:
			return publication{}, told(err)
		case !ok:
			return publication{}, refused(fmt.Errorf("client %s is gone", id), "rotad history "+id)
		}
		f.progress(rec)
		if done, ended, err := f.judge(rec); ended || err != nil {
			return done, err
		}
		select {
		case <-ctx.Done():
		case <-f.after(followPause):
		}
	}
}

// judge says whether the wait is over.
func (f *follower) judge(rec credential.Record) (p publication, ended bool, err error) {
	id, r := rec.Client.ID, rec.Rotation
	p = publication{Client: id, Phase: rec.Phase(), Path: rec.Client.Vault.String(), Version: rec.Version}
	switch {
	case r != nil && (r.Phase == credential.PhaseOverlap || r.Phase == credential.PhaseRevoking):
		p.Rotation, p.Path, p.Version, p.OldUntil = r.ID, r.Client.Vault.String(), r.Promoted, r.RevokeAfter
		p.Command = vaultCommand(r.Client.Vault, r.Promoted)
		return p, true, nil
	case r == nil && rec.Last.Rotation != f.before.Last.Rotation:
		if rec.Last.Outcome != "done" {
			return p, false, refused(fmt.Errorf("the rotation of %s was ended: %s", id, rec.Last.Outcome), "rotad history "+id)
		}
		p.Rotation, p.Command = rec.Last.Rotation, vaultCommand(rec.Client.Vault, rec.Version)
		return p, true, nil
	case f.stuck(rec):
		return p, false, held(rec)
	}
	return p, false, nil
}

// stuck says whether the rotation waits for a person. A hold from before the request counts only when rotad has looked
// again and pauses because of it.
func (f *follower) stuck(rec credential.Record) bool {
	if rec.Hold == nil {
		return false
	}
	fresh := f.before.Hold == nil || f.before.Hold.Code != rec.Hold.Code
	return fresh || rec.Rotation != nil || !rec.Backoff.Until.IsZero()
}

func held(rec credential.Record) error {
	text := fmt.Sprintf("%s is held: %s", rec.Client.ID, rec.Hold.Code)
	if rec.Hold.Detail != "" {
		text += ": " + clean(rec.Hold.Detail)
	}
	hint := "rotad show " + rec.Client.ID
	for i, command := range waysOut(rec) {
		if i == 0 {
			hint = command
		} else {
			hint += ", or " + command
		}
	}
	return refused(errors.New(text), hint)
}

// progress says once on stderr what the rotation has come to.
func (f *follower) progress(rec credential.Record) {
	text := string(rec.Phase())
	if rec.Backoff.Attempts > 0 {
		text += ", failing: " + clean(rec.Backoff.Error)
	}
	if text != f.said && text != string(credential.PhaseSteady) {
		_, _ = fmt.Fprintf(f.err, "%s: %s\n", rec.Client.ID, text)
	}
	f.said = text
}
