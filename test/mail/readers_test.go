package mail_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"github.com/rotad/rotad/test/servers"
)

// entry is a calendar event as a reader understands it. Times are seconds, an alarm's relative to the start.
type entry struct {
	File      string   `json:"file"`
	Method    string   `json:"method"`
	UID       string   `json:"uid"`
	Sequence  int      `json:"sequence"`
	Start     int64    `json:"start"`
	End       int64    `json:"end"`
	Summary   string   `json:"summary"`
	Languages []string `json:"languages"` // of the summary and of the description
	Status    string   `json:"status"`
	Organizer string   `json:"organizer"`
	Attendees []string `json:"attendees"`
	Alarms    []int    `json:"alarms"`
}

// reader is a program that reads calendars.
type reader struct {
	name string
	args []string // the files follow
	env  []string
}

// readers installs all of them.
func readers(t testing.TB) []reader {
	t.Helper()
	node, err := servers.InstallNPM(t.Context(), shared.Cache, "ical.js")
	must(t, err)
	return []reader{
		{"ical.js", []string{"node", "ical.js/read.cjs"}, []string{"NODE_PATH=" + filepath.Join(node, "node_modules")}},
		{"python-icalendar", []string{python(t), "python/read.py"}, nil},
	}
}

func python(t testing.TB) string {
	t.Helper()
	path, err := servers.InstallPython(t.Context(), shared.Cache, "python")
	must(t, err)
	return path
}

// ask runs a program of a reader and decodes what it prints; an error has its own words.
func ask(ctx context.Context, args, env []string, out any) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(append(servers.BareEnv(), "PYTHONDONTWRITEBYTECODE=1"), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	cmd.Stderr = &said
	printed, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%w: %s", err, said.String())
	}
	return json.Unmarshal(printed, out)
}

// read lets one reader read files.
func (r reader) read(ctx context.Context, files ...string) ([]entry, error) {
	var entries []entry
	if err := ask(ctx, append(slices.Clone(r.args), files...), r.env, &entries); err != nil {
		return nil, fmt.Errorf("%s refuses an event: %w", r.name, err)
	}
	return entries, nil
}

// agree lets every reader read files, and compares what each understands with what was meant, in the order of the files.
func agree(t testing.TB, meant []entry) {
	t.Helper()
	if len(meant) == 0 {
		t.Fatal("there is no event to read")
	}
	files := filesOf(meant)
	for _, r := range readers(t) {
		got, err := r.read(t.Context(), files...)
		must(t, err)
		if len(got) != len(meant) {
			t.Errorf("%s reads %d events, want %d", r.name, len(got), len(meant))
			continue
		}
		for i, e := range got {
			if !reflect.DeepEqual(e, meant[i]) {
				t.Errorf("%s reads %+v\nwhere was meant %+v", r.name, e, meant[i])
			}
		}
	}
	t.Logf("%d events read alike", len(meant))
}
