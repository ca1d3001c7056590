package mail_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/templates"
)

// preview lets the built program write every mail, and returns the directory.
func preview(t *testing.T, language string) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), shared.Binary(t), "preview", "--language", language, "--out", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("rotad preview: %v\n%s", err, out)
	}
	return dir
}

// eventLength and alarmBefore are what an invitation promises: a quarter of an hour before the deadline, and a word a day
// before that.
const (
	eventLength = 15 * time.Minute
	alarmBefore = 24 * time.Hour
)

// TestEveryReaderReadsEveryEvent reads the events of the preview.
func TestEveryReaderReadsEveryEvent(t *testing.T) {
	t.Parallel()
	set, err := templates.Parse(nil)
	must(t, err)
	for _, language := range templates.Languages() {
		dir := preview(t, language)
		samples, err := notify.Samples(nil, language)
		must(t, err)
		var meant []entry
		for _, s := range samples {
			meant = append(meant, eventsOf(s, filepath.Join(dir, s.Name+".ics"), set.Language(language))...)
		}
		agree(t, meant)
		files, err := filepath.Glob(filepath.Join(dir, "*.ics"))
		must(t, err)
		if len(files) == 0 || len(files) != len(filesOf(meant)) {
			t.Errorf("the preview in %s has %d files with events, and %d were read", language, len(files), len(filesOf(meant)))
		}
	}
}

// eventsOf are the events that a sample brings: one to invite its reader, or, with a digest, one of each notice, for everybody.
func eventsOf(s notify.Sample, file string, in *templates.Language) (meant []entry) {
	notices, method, readers := []credential.Notice{s.Notice}, "REQUEST", []string{s.Message.To}
	if len(s.Digest) > 0 {
		notices, method, readers = s.Digest, "PUBLISH", []string{}
	}
	for _, n := range notices {
		i := n.Calendar
		if i == nil {
			continue
		}
		e := entry{
			File: file, Method: method, Status: "CONFIRMED", UID: i.UID, Sequence: i.Sequence,
			Start: i.At.Add(-eventLength).Unix(), End: i.At.Unix(), Summary: n.Client + ": " + in.Phrase(i.What),
			Languages: []string{in.Tag(), in.Tag()}, Organizer: "secrets@example.com", Attendees: readers, Alarms: []int{-int(alarmBefore.Seconds())},
		}
		if i.Cancel {
			e.Method, e.Status, e.Alarms = "CANCEL", "CANCELLED", []int{}
		}
		meant = append(meant, e)
	}
	slices.SortStableFunc(meant, func(a, b entry) int { return cmp.Compare(a.Start, b.Start) }) // a file begins with what is due first
	return meant
}

// filesOf are the files that the events stand in.
func filesOf(events []entry) []string {
	var files []string
	for _, e := range events {
		files = append(files, e.File)
	}
	return slices.Compact(files)
}

// TestAReaderSaysWhatItCannotRead: a reader that takes everything would praise everything.
func TestAReaderSaysWhatItCannotRead(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(preview(t, "en"), "warning.ics"))
	must(t, err)
	broken := filepath.Join(t.TempDir(), "broken.ics")
	must(t, os.WriteFile(broken, []byte(strings.Replace(string(raw), "END:VEVENT\r\n", "", 1)), 0o600))
	for _, r := range readers(t) {
		if got, err := r.read(t.Context(), broken); err == nil {
			t.Errorf("%s reads an event that has no end: %+v", r.name, got)
		}
	}
}
