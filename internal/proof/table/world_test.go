package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

// none is a figure that meets its goal.
var none = proof.Figure{Name: "violations", Value: "0", Goal: "0", OK: true}

// world is a tree of its own with one commit and a page, in which the parts are stand-ins.
type world struct {
	*testing.T
	top    string
	leaves map[string][]proof.Figure // by the name of the result; a part leaves those that are its own
	ends   map[string]error          // by part
	during map[string]func()         // by part: what else happens while it runs
	played []string                  // the parts that ran, in their order
	said   strings.Builder
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, top: t.TempDir(), leaves: map[string][]proof.Figure{}, ends: map[string]error{}, during: map[string]func(){}}
	if err := os.MkdirAll(filepath.Join(w.top, "docs"), 0o750); err != nil {
		t.Fatal(err)
	}
	w.put(filepath.Join(w.top, "code.go"), "package code\n")
	w.put(filepath.Join(w.top, ".gitignore"), "/bin/\n")
	w.put(pageOf(w.top), "# Proof\n"+markBegin+"\nold\n"+markEnd+"\n## After\n")
	w.git("init", "-q")
	w.git("config", "user.name", "x")
	w.git("config", "user.email", "x@example.com")
	w.commit()
	return w
}

// play is the stand-in for make.
func (w *world) play(ctx context.Context, _ string, p part, dir string) error {
	w.played = append(w.played, p.name)
	for name, figures := range w.leaves {
		if p.owns(name) {
			w.save(dir, name, figures)
		}
	}
	if also := w.during[p.name]; also != nil {
		also()
	}
	return errors.Join(ctx.Err(), w.ends[p.name])
}

func (w *world) save(dir, name string, figures []proof.Figure) {
	w.Helper()
	if err := proof.Save(dir, name, proof.Result{Seeds: "1..10", Took: 61 * time.Second, Figures: figures}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) table(args ...string) error { return w.tableIn(w.Context(), args...) }

func (w *world) tableIn(ctx context.Context, args ...string) error {
	return run(ctx, append([]string{"-C", w.top}, args...), w.play, &w.said)
}

// ran checks which parts ran since it was asked last.
func (w *world) ran(want ...string) {
	w.Helper()
	if !slices.Equal(w.played, want) {
		w.Errorf("%v ran, want %v", w.played, want)
	}
	w.played = nil
}

func (w *world) change(name string) {
	w.Helper()
	path := filepath.Join(w.top, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		w.Fatal(err)
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.Fatal(err)
	}
	w.put(path, string(old)+"// More.\n")
}

func (w *world) put(path, text string) {
	w.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) text(path string) string {
	w.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

func (w *world) page() string {
	w.Helper()
	return w.text(pageOf(w.top))
}

func (w *world) has(name string) bool {
	_, err := os.Stat(filepath.Join(resultsBeside(w.top), name+".json"))
	return err == nil
}

// date is the day on which a result was measured: midnight may pass in the middle of a test.
func (w *world) date(name string) string {
	w.Helper()
	r, err := read(resultsBeside(w.top), name)
	if err != nil {
		w.Fatal(err)
	}
	return r.moment.Date
}

func (w *world) commit() {
	w.Helper()
	w.git("add", ".")
	w.git("commit", "-q", "-m", "x")
}

func (w *world) head() string {
	w.Helper()
	return strings.TrimSpace(w.git("rev-parse", "HEAD"))
}

func (w *world) git(args ...string) string {
	w.Helper()
	text, err := exec.CommandContext(w.Context(), "git", append([]string{"-C", w.top}, args...)...).CombinedOutput()
	if err != nil {
		w.Fatalf("%v: %s", err, text)
	}
	return string(text)
}
