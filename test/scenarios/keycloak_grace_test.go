package scenarios_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// inPhase, adopted and done are the states that scenarios await.
func inPhase(phase credential.Phase) func(credential.Record) bool {
	return func(r credential.Record) bool { return r.Phase() == phase }
}

func sighted(sight credential.FirstSight) func(credential.Record) bool {
	return func(r credential.Record) bool { return r.Sight == sight }
}

// finished says that a rotation has ended well which replaced the version given.
func finished(oldVersion int) func(credential.Record) bool {
	return func(r credential.Record) bool {
		return r.Rotation == nil && r.Last.Outcome == "done" && r.Version > oldVersion
	}
}

func heldFor(code credential.HoldCode) func(credential.Record) bool {
	return func(r credential.Record) bool { return r.Hold != nil && r.Hold.Code == code }
}

const firstSecret = "the-first-secret-of-billing"

// keycloakGrace is the whole life of one secret: overlap proved with tokens, Vault written before the old secret goes,
// foreign fields kept, mails and calendar delivered, metrics true.
func keycloakGrace(w *world.World) {
	postfix := w.UsePostfix()
	k := w.Realm(30*time.Second, servers.RealmClient{ID: "billing", Secret: firstSecret})
	_, err := w.Vault.Put(w.T.Context(), world.AppPath("billing"), map[string]any{
		"OIDC_CLIENT": "billing", "OIDC_SECRET": firstSecret, "team": "payments", "limits": []any{1, map[string]any{"b": 2.5}},
	})
	w.Must(err)
	w.Must(w.Vault.SetCustom(w.T.Context(), world.AppPath("billing"), map[string]string{"cost-centre": "4711"}))
	w.AddClient("billing", world.Block{"vault": world.Block{
		"path": world.AppPath("billing"), "fields": map[string]string{"client_id": "OIDC_CLIENT", "client_secret": "OIDC_SECRET"},
	}})
	g := &graceScenario{World: w, keycloak: k, postfix: postfix, old: firstSecret}
	g.before = g.stored()
	d := w.Start()
	d.Await("billing", 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	for round := 1; round <= 2; round++ {
		d.Do("rotate", "billing", "--reason", "scenario")
		overlap := d.Await("billing", time.Minute, "is in its overlap", inPhase(credential.PhaseOverlap))
		g.duringOverlap(d, overlap)
		d.Await("billing", 2*time.Minute, "has rotated", finished(overlap.Rotation.OldVersion))
		g.afterwards(d, overlap)
		g.mails(round, overlap)
		g.before, g.old = g.stored(), g.stored().Text("OIDC_SECRET")
	}
}

type graceScenario struct {
	*world.World
	keycloak *servers.Keycloak
	postfix  *servers.Postfix
	old      string         // the secret that is replaced
	before   servers.Stored // what Vault held before
	uid      string         // of the calendar event
	sequence int
}

func (g *graceScenario) stored() servers.Stored {
	g.T.Helper()
	s := g.Stored("billing")
	g.Known(s.Text("OIDC_SECRET"))
	return s
}

func (g *graceScenario) duringOverlap(d *world.Daemon, r credential.Record) {
	t := g.T
	t.Helper()
	now := g.stored()
	fresh := now.Text("OIDC_SECRET")
	if fresh == g.old || fresh == "" {
		t.Fatal("in the overlap vault still hands out the old secret")
	}
	for name, secret := range map[string]string{"old": g.old, "new": fresh} {
		if !g.Accepts("billing", secret) {
			t.Errorf("in the overlap keycloak refuses the %s secret", name)
		}
	}
	for _, name := range []string{"OIDC_CLIENT", "team", "limits"} {
		if string(now.Values[name]) != string(g.before.Values[name]) {
			t.Errorf("the field %s was %s and is %s", name, g.before.Values[name], now.Values[name])
		}
	}
	if len(now.Values) != len(g.before.Values) {
		t.Errorf("vault holds %d fields, held %d", len(now.Values), len(g.before.Values))
	}
	g.writtenBeforeTheOldGoes(r, now.Version)
	g.gauges(d)
}

// writtenBeforeTheOldGoes compares Vault's own time of the new version with Keycloak's own time of the old secret's end.
func (g *graceScenario) writtenBeforeTheOldGoes(r credential.Record, version int) {
	g.T.Helper()
	meta, err := g.Vault.Metadata(g.T.Context(), world.AppPath("billing"))
	g.Must(err)
	client, err := g.keycloak.Client(g.T.Context(), g.Name, "billing")
	g.Must(err)
	written, dies := meta.Versions[version].Created, client.Time(servers.AttrRotatedExpires)
	if !written.Before(dies) {
		g.T.Errorf("vault was written at %s, the old secret dies at %s", written, dies)
	}
	if r.Rotation.Promoted != version || meta.Current != version {
		g.T.Errorf("rotad says version %d, vault says %d, the value came with %d", r.Rotation.Promoted, meta.Current, version)
	}
	if meta.Custom["cost-centre"] != "4711" || meta.Custom["rotad_rotation"] != r.Rotation.ID {
		g.T.Errorf("custom metadata is %v, want the foreign key kept and the rotation %s", meta.Custom, r.Rotation.ID)
	}
}

// gauges compares the expiry that Prometheus would see with Keycloak's own.
func (g *graceScenario) gauges(d *world.Daemon) {
	g.T.Helper()
	client, err := g.keycloak.Client(g.T.Context(), g.Name, "billing")
	g.Must(err)
	for slot, attribute := range map[string]string{"current": servers.AttrExpires, "retiring": servers.AttrRotatedExpires} {
		want := float64(client.Time(attribute).Unix())
		g.Await(10*time.Second, "the gauge of the "+slot+" secret equals keycloak's", func() error {
			labels := world.Block{"client": "billing", "provider": "kc", "owner": "payments", "slot": slot}
			got, err := d.Metric("rotad_secret_expiry_timestamp_seconds", labels)
			if err == nil && got != want {
				err = fmt.Errorf("it is %.0f, keycloak says %.0f", got, want)
			}
			return err
		})
	}
}

func (g *graceScenario) afterwards(d *world.Daemon, overlap credential.Record) {
	t := g.T
	t.Helper()
	if g.Accepts("billing", g.old) {
		t.Error("keycloak accepts the old secret after the overlap")
	}
	if !g.Accepts("billing", g.stored().Text("OIDC_SECRET")) {
		t.Error("keycloak refuses the secret that vault hands out")
	}
	r, err := d.Show("billing")
	g.Must(err)
	if r.Last.Negative != credential.NegativeProved {
		t.Errorf("the negative test ended %q, want proved", r.Last.Negative)
	}
	g.Await(20*time.Second, "the old version is destroyed", func() error {
		meta, err := g.Vault.Metadata(t.Context(), world.AppPath("billing"))
		if err == nil && !meta.Versions[overlap.Rotation.OldVersion].Destroyed {
			err = fmt.Errorf("versions %v", meta.Versions)
		}
		return err
	})
	g.stagingIsEmpty()
}

// stagingIsEmpty looks into the staging entry: it may name a secret, never hold one.
func (g *graceScenario) stagingIsEmpty() {
	g.T.Helper()
	fresh := g.stored().Text("OIDC_SECRET")
	names, err := g.Vault.List(g.T.Context(), "rotad/staging")
	g.Must(err)
	for _, name := range names {
		path := "rotad/staging/" + name
		meta, err := g.Vault.Metadata(g.T.Context(), path)
		g.Must(err)
		for version := 1; version <= meta.Current; version++ {
			s, err := g.Vault.Get(g.T.Context(), path, version)
			g.Must(err)
			for field, raw := range s.Values {
				if strings.Contains(string(raw), fresh) || strings.Contains(string(raw), g.old) {
					g.T.Errorf("staging version %d still holds a secret in %s", version, field)
				}
			}
		}
	}
}

// mails awaits the word to the owner with the calendar event, and the word to the admins.
func (g *graceScenario) mails(round int, overlap credential.Record) {
	t := g.T
	t.Helper()
	var invite servers.Mail
	g.Await(30*time.Second, "the owner has mail with an invitation", func() error {
		mails, err := g.postfix.Mails(g.Address("payments"))
		if err != nil {
			return err
		}
		for _, m := range mails {
			if m.Calendar != nil {
				invite = m
			}
		}
		if invite.Calendar == nil {
			return fmt.Errorf("%d mails, none with a calendar", len(mails))
		}
		return g.moved(invite)
	})
	g.invitation(invite)
	if mails, err := g.postfix.Mails(g.Address("admin")); err != nil || len(mails) < round {
		t.Errorf("the admins have %d mails (%v) after %d rotations that nobody scheduled", len(mails), err, round)
	}
	g.tellsWhere(overlap)
	g.noneTwice()
}

// tellsWhere looks for a mail that says where the new secret is.
func (g *graceScenario) tellsWhere(overlap credential.Record) {
	g.T.Helper()
	mails, err := g.postfix.Mails(g.Address("payments"))
	g.Must(err)
	version := fmt.Sprint(overlap.Rotation.Promoted)
	for _, m := range mails {
		if strings.Contains(m.Text, world.AppPath("billing")) && strings.Contains(m.Text, version) {
			return
		}
	}
	g.T.Errorf("none of %d mails names the path and version %s", len(mails), version)
}

func (g *graceScenario) noneTwice() {
	g.T.Helper()
	mails, err := g.postfix.Mails("")
	g.Must(err)
	seen := map[string]bool{}
	for _, m := range mails {
		if key := m.ID + " " + m.To; strings.HasPrefix(m.To, g.Name) && seen[key] {
			g.T.Errorf("the mail %q came twice to %s", m.Subject, m.To)
		}
		seen[m.ID+" "+m.To] = true
	}
}

// moved says whether the mail carries another state of the event than the last round's.
func (g *graceScenario) moved(m servers.Mail) error {
	event, err := m.Event()
	if err != nil {
		return err
	}
	sequence, err := event.Props.Get(ical.PropSequence).Int()
	if err != nil {
		return err
	}
	if g.uid != "" && sequence <= g.sequence {
		return errors.New("the event has not moved yet")
	}
	return nil
}

func (g *graceScenario) invitation(m servers.Mail) {
	t := g.T
	t.Helper()
	event, err := m.Event()
	g.Must(err)
	uid, err := event.Props.Text(ical.PropUID)
	g.Must(err)
	if g.uid != "" && uid != g.uid {
		t.Errorf("the event has the UID %s, the round before it had %s", uid, g.uid)
	}
	sequence, err := event.Props.Get(ical.PropSequence).Int()
	g.Must(err)
	g.uid, g.sequence = uid, sequence
	if !strings.EqualFold(m.Method, "REQUEST") {
		t.Errorf("the calendar part has the method %q, want REQUEST", m.Method)
	}
	start, err := event.DateTimeStart(time.UTC)
	g.Must(err)
	if start.Before(time.Now().Add(-time.Hour)) {
		t.Errorf("the event stands at %s, in the past", start)
	}
	if len(event.Children) != 1 || event.Children[0].Name != ical.CompAlarm {
		t.Errorf("the event has %d parts, want one alarm", len(event.Children))
	}
}
