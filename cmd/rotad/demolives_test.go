package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/mail"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/providers"
)

// lives watches a whole demo with a login of its own: at every phase of each client it tries the old and the new secret.
//
//	store ──► every version, staged or published ──► old, new
//	commit ──► a phase is over ──► log in with both ──► what was accepted
type lives struct {
	t     *testing.T
	world *demoWorld
	http  *http.Client

	mu    sync.Mutex
	known map[string]*lifeOf // by client
}

// lifeOf is what was seen of one client, until its first rotation is over.
type lifeOf struct {
	role     demoRole
	phase    credential.Phase
	old, new credential.Bundle
	trail    []string
	over     bool
}

func watchLives(t *testing.T, world *demoWorld) *lives {
	t.Helper()
	l := &lives{t: t, world: world, http: &http.Client{Timeout: 10 * time.Second}, known: map[string]*lifeOf{}}
	for _, role := range demoCast() {
		l.known[role.id] = &lifeOf{role: role}
	}
	world.seen = l.committed
	world.kv.OnWrite(func(w sandbox.KVWrite) {
		l.wrote(w)
		world.wrote(w)
	})
	return l
}

// wrote learns a secret from what Vault is given: the first one is the old one, the first that is staged the new one.
func (l *lives) wrote(w sandbox.KVWrite) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, life := range l.known {
		if w.Path == life.role.place.path && life.old == nil {
			life.old = life.bundle(w.Data, map[string]string{life.secret(): life.role.place.field, "client_id": life.id(w.Data)})
		}
		if w.Data["client"] == life.role.id && w.Data["phase"] == string(credential.StagingStaged) && life.new == nil {
			life.new = life.bundle(w.Data, map[string]string{
				life.secret(): "bundle." + life.secret(), "client_id": "bundle.client_id", "role_id": "bundle.role_id",
			})
		}
	}
}

func (l *lifeOf) secret() string {
	if l.role.id == demoChosen {
		return "secret_id"
	}
	return credential.FieldClientSecret
}

// id is the field in which the client id stands.
func (l *lifeOf) id(data map[string]any) string {
	if _, ok := data["AUTH_CLIENT_ID"]; ok {
		return "AUTH_CLIENT_ID"
	}
	return "client_id"
}

func (l *lifeOf) bundle(data map[string]any, fields map[string]string) credential.Bundle {
	b := credential.Bundle{}
	for name, field := range fields {
		if text, ok := data[field].(string); ok {
			b[name] = credential.NewSensitive(text)
		}
	}
	if text, ok := data["role_id"].(string); ok {
		b[credential.FieldRoleID] = credential.NewSensitive(text)
	}
	return b
}

// committed tries both secrets whenever a client has come to another phase. Of one client it is told one by one.
func (l *lives) committed(change credential.Change) {
	l.mu.Lock()
	life, phase := l.known[change.Record.Client.ID], change.Record.Phase()
	if life == nil || life.over || phase == life.phase || change.Record.Mode() == credential.ModeUnknown {
		l.mu.Unlock()
		return
	}
	life.over = phase == credential.PhaseSteady && life.phase != ""
	life.phase = phase
	seen := *life
	l.mu.Unlock()
	line := fmt.Sprintf("%-9s old %s", string(phase)+":", l.try(&seen, seen.old))
	if seen.new != nil {
		line += ", new " + l.try(&seen, seen.new)
	}
	if seen.role.mounted != "" {
		line += ", file " + l.mounted(&seen)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	life.trail = append(life.trail, line)
}

// mounted says which of the two the mounted file holds.
func (l *lives) mounted(life *lifeOf) string {
	b, err := l.world.mountedReader(life.role.mounted, life.role.id)(context.Background())
	switch value := b.Secret().Reveal(); {
	case err != nil:
		return err.Error()
	case value == life.old.Secret().Reveal():
		return "old"
	case life.new != nil && value == life.new.Secret().Reveal():
		return "new"
	}
	return "neither"
}

func (l *lives) try(life *lifeOf, b credential.Bundle) string {
	answer, err := life.role.login(l.world, l.http)(context.Background(), b)
	switch answer {
	case providers.Accepted:
		return "accepted"
	case providers.Refused:
		return "refused"
	case providers.Unknown:
	}
	l.t.Errorf("%s: no answer: %v", life.role.id, err)
	return "unknown"
}

// notices are the mails about a client, in order: what each is about and who gets it.
func (l *lives) notices(client string) (list []string) {
	for _, message := range l.world.mailbox.Messages() {
		m, err := mail.ReadMessage(bytes.NewReader(message.Data))
		if err != nil {
			l.t.Fatal(err)
		}
		if m.Header.Get(notify.HeaderClient) == client {
			line := strings.TrimSpace(m.Header.Get(notify.HeaderKind)+" "+m.Header.Get(notify.HeaderMilestone)) + " to " + strings.Join(message.To, ", ")
			list = append(list, line)
		}
	}
	return list
}

// TestWholeLifeOfEverySeedSystem plays the demo once and compares the life of each system that docs/seeds.md names: what
// happened, which of the two secrets was accepted at every phase, and which mails went out.
func TestWholeLifeOfEverySeedSystem(t *testing.T) {
	begin := demoBegin(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
	dir := t.TempDir()
	world, err := newDemoWorld(t.Context(), newDemoClock(begin), dir)
	if err != nil {
		t.Fatal(err)
	}
	all := watchLives(t, world)
	var out, errOut bytes.Buffer
	a := &app{out: &out, err: &errOut, json: true}
	f := demoFlags{once: true, dir: dir, limit: 5 * time.Minute, haste: 20}
	if err := a.playIn(t.Context(), world, begin, 100*demoDay, f); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if err := world.close(); err != nil {
		t.Error(err)
	}
	events := map[string]string{}
	for _, line := range readDemo(t, out.String()) {
		events[line.Client] += " " + line.Event
	}
	for _, system := range []struct{ name, client string }{
		{"odc", demoManual}, {"telekom", demoRover}, {"bff", demoBFF}, {"telicent", demoGrace}, {"lightapi", demoLight},
	} {
		t.Run(system.name, func(t *testing.T) {
			var got strings.Builder
			fmt.Fprintf(&got, "events:%s\n%s\n", events[system.client], strings.Join(all.known[system.client].trail, "\n"))
			for _, notice := range all.notices(system.client) {
				fmt.Fprintf(&got, "mail: %s\n", notice)
			}
			compareGolden(t, filepath.Join("testdata", "lives", system.name+".golden"), got.String())
		})
	}
}
