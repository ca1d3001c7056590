package mail_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/notify"
)

// preview lets the built program write every mail, and returns the directory.
func preview(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), shared.Binary(t), "preview", "--out", dir).CombinedOutput()
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
	dir := preview(t)
	samples, err := notify.Samples(nil)
	must(t, err)
	var meant []entry
	for _, s := range samples {
		if i := s.Notice.Calendar; i != nil {
			e := entry{
				File: filepath.Join(dir, s.Name+".ics"), Method: "REQUEST", Status: "CONFIRMED", UID: i.UID, Sequence: i.Sequence,
				Start: i.At.Add(-eventLength).Unix(), End: i.At.Unix(), Summary: s.Notice.Client + ": " + i.What,
				Organizer: "secrets@example.com", Attendees: []string{s.Message.To}, Alarms: []int{-int(alarmBefore.Seconds())},
			}
			if i.Cancel {
				e.Method, e.Status, e.Alarms = "CANCEL", "CANCELLED", []int{}
			}
			meant = append(meant, e)
		}
	}
	agree(t, meant)
	files, err := filepath.Glob(filepath.Join(dir, "*.ics"))
	must(t, err)
	if len(files) != len(meant) {
		t.Errorf("the preview has %d events, and %d were read", len(files), len(meant))
	}
}

// TestAReaderSaysWhatItCannotRead: a reader that takes everything would praise everything.
func TestAReaderSaysWhatItCannotRead(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(preview(t), "warning.ics"))
	must(t, err)
	broken := filepath.Join(t.TempDir(), "broken.ics")
	must(t, os.WriteFile(broken, []byte(strings.Replace(string(raw), "END:VEVENT\r\n", "", 1)), 0o600))
	for _, r := range readers(t) {
		if got, err := r.read(t.Context(), broken); err == nil {
			t.Errorf("%s reads an event that has no end: %+v", r.name, got)
		}
	}
}
