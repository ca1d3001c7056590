package program_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination"
	"github.com/rotad/rotad/internal/destination/destinationtest"
)

// TestMain also is the program: "place DIR" keeps its values in a file of that directory, "place DIR do WHAT" misbehaves.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "place" {
		code := 0
		if err := place(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, uintptr(code), 0, 0) // at once: a race detector would wait a second
	}
	os.Exit(m.Run()) //nolint:forbidigo // what TestMain is for
}

type asked struct {
	Protocol  int
	Operation string
	Client    string
	Version   int
	Values    map[string]string
	Absent    []string
}

func place(dir string, does []string) error {
	var r asked
	if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
		return err
	}
	if len(does) > 0 {
		return misbehave(does[0], r)
	}
	file := filepath.Join(dir, "values.json")
	held := map[string]string{}
	if raw, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(raw, &held); err != nil {
			return err
		}
	}
	if r.Operation == "compare" {
		holds := len(held) == len(r.Values)
		for name, value := range r.Values {
			holds = holds && held[name] == value
		}
		_, err := fmt.Fprintf(os.Stdout, `{"holds": %t}`, holds)
		return err
	}
	raw, err := json.Marshal(r.Values)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func misbehave(what string, r asked) error {
	switch what {
	case "shout":
		_, _ = fmt.Fprintln(os.Stdout, r.Values, strings.Repeat("x", 1<<20))
	case "fail":
		return fmt.Errorf("the values %v were not taken", r.Values)
	case "hang":
		return exec.Command("/bin/sleep", "60").Run() // both are killed
	case "lie":
		_, _ = fmt.Fprintln(os.Stdout, `{"holds": false}`)
	}
	return nil
}

type world struct{ dir string }

func (w *world) Destination() credential.Destination {
	return credential.Destination{Name: "own", Exec: &credential.ExecPlace{
		Command: []string{os.Args[0], "place", w.dir}, Previous: map[string]string{"client_secret": "client_secret_previous"},
	}}
}

func (w *world) file() string { return filepath.Join(w.dir, "values.json") }

func (w *world) Held(t *testing.T) map[string]string {
	t.Helper()
	held := map[string]string{}
	raw, err := os.ReadFile(w.file())
	if err == nil {
		err = json.Unmarshal(raw, &held)
	}
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
	return held
}

func (w *world) Stamp(t *testing.T) string {
	t.Helper()
	info, err := os.Stat(w.file())
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime().String() + strconv.FormatUint(info.Sys().(*syscall.Stat_t).Ino, 10)
}

func (w *world) Tamper(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(w.file(), []byte(`{"client_secret":"by hand"}`), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *world) Break(t *testing.T) (mend func()) {
	t.Helper()
	if err := os.Mkdir(w.file()+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	return func() { _ = os.Remove(w.file() + ".new") }
}

func TestConformance(t *testing.T) {
	destinationtest.Run(t, func(t *testing.T) destinationtest.World {
		t.Helper()
		return &world{t.TempDir()}
	})
}

func TestAProgramThatMisbehavesSaysNothingOfTheValues(t *testing.T) {
	const value = "the-secret-of-this-test"
	for does, want := range map[string]string{
		"shout": "its answer is not", "fail": "compare ended with exit status 1", "hang": "it did not end in time", "lie": "does not hold them",
	} {
		t.Run(does, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			d := credential.Destination{Name: "own", Exec: &credential.ExecPlace{Command: []string{os.Args[0], "place", t.TempDir(), does}}}
			written, err := destination.Set{}.Deliver(ctx, d, credential.Copy{Client: "billing", Version: 1, Bundle: credential.Bundle{"client_secret": credential.NewSensitive(value)}})
			if err == nil || written || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), value) {
				t.Errorf("written %t, %v", written, err)
			}
		})
	}
	d := credential.Destination{Name: "own", Exec: &credential.ExecPlace{Command: []string{"/nowhere/at-all"}}}
	var set destination.Set
	if _, err := set.Deliver(t.Context(), d, credential.Copy{}); err == nil || err.Error() != "exec: /nowhere/at-all: it cannot be started: no such file or directory" {
		t.Errorf("%v", err)
	}
}
