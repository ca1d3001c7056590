package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// scriptPlane is the control plane of a script, with three applications: shop, in a zone that keeps a replaced secret; bare,
// in one that does not; lost, of which the reply to the first rotation is lost.
type scriptPlane struct {
	*sandbox.Rover

	mu   sync.Mutex
	made []string // every clear value that there has been
}

// firstOf is the secret that an application has before its first rotation.
func firstOf(app string) string { return "the-first-secret-of-" + app }

const teamOfPlane = "the-secret-of-the-team"

// addPlane starts the control plane of a script and puts the team's ROVER_TOKEN into its environment.
func (w *scriptWorld) addPlane(e *testscript.Env, now func() time.Time) error {
	w.plane = &scriptPlane{made: []string{teamOfPlane}}
	w.plane.Rover = sandbox.NewRover(now, sandbox.RoverSettings{
		TeamSecret: teamOfPlane, Lag: 500 * time.Millisecond, Converge: time.Second, Expiration: time.Hour, Grace: 10 * time.Second,
		Made: w.plane.note,
	})
	faults := sandbox.NewFaults(time.After)
	faults.DropReply(sandbox.When{Method: http.MethodPatch, Path: "--lost/secret"})
	server := httptest.NewServer(faults.Wrap(w.plane.Handler()))
	e.Defer(server.Close)
	for app, off := range map[string]bool{"shop": false, "bare": true, "lost": false} {
		w.plane.note(firstOf(app))
		if err := w.plane.Register(sandbox.RoverApp{Name: app, Secret: firstOf(app), Off: off, TTL: 30 * time.Minute}); err != nil {
			return err
		}
		w.kv.Put("secret", "apps/"+app, map[string]any{"client_id": w.plane.ClientID(app), "client_secret": firstOf(app), "other": "kept"})
	}
	e.Setenv("ROVER_TOKEN", base64.StdEncoding.EncodeToString(fmt.Appendf(nil,
		`{"group":"eni","team":"hyperion","client_id":"eni--hyperion","client_secret":%q,"token_url":%q,"server_url":%q}`,
		teamOfPlane, server.URL+sandbox.PathRoverToken, server.URL)))
	return nil
}

func (p *scriptPlane) note(value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = append(p.made, value)
}

// accepted asks the control plane with what Vault hands out, or with the first secret: accepted shop vault, ! accepted shop first.
func accepted(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: accepted app vault|first")
	}
	w, value := scripted(ts), firstOf(args[0])
	if args[1] == "vault" {
		data, _ := w.kv.Current("secret", "apps/"+args[0])
		value, _ = data["client_secret"].(string)
		if data["other"] != "kept" {
			ts.Fatalf("a field that rotad does not own has changed: %v", data["other"])
		}
	}
	if w.plane.Accepts(args[0], credential.NewSensitive(value)) == neg {
		ts.Fatalf("accepted: %t", !neg)
	}
}

// made counts the rotations of an application: made shop 1.
func made(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: made app number")
	}
	if got := fmt.Sprint(scripted(ts).plane.Made(args[0])); got != args[1] {
		ts.Fatalf("%s rotations of %s, want %s", got, args[0], args[1])
	}
}

// cleanFile says that no clear value of the control plane is in a file: clean rotad.db stderr.
func cleanFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: clean file...")
	}
	p := scripted(ts).plane
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, file := range args {
		data, err := os.ReadFile(ts.MkAbs(file))
		ts.Check(err)
		for _, value := range p.made {
			if bytes.Contains(data, []byte(value)) {
				ts.Fatalf("%s holds a clear secret", file)
			}
		}
	}
}
