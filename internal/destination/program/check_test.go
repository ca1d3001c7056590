package program_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination/program"
)

func TestCheckStartsNothing(t *testing.T) {
	dir := t.TempDir()
	started := filepath.Join(dir, "started")
	script := []byte("#!/bin/sh\ntouch " + started + "\n")
	for file, mode := range map[string]os.FileMode{"keep": 0o700, "text": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, file), script, mode); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		"keep": "", "text": "text: it cannot be started: permission denied; put it there", "nowhere": "nowhere: it cannot be started: no such file or directory",
		".": "it cannot be started: is a directory",
	} {
		err := program.Check(credential.ExecPlace{Command: []string{dir + "/" + file, "lab"}})
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", file, err, want)
		}
	}
	if err := program.Check(credential.ExecPlace{}); err == nil {
		t.Error("no program is one")
	}
	if _, err := os.Stat(started); err == nil {
		t.Error("it was started")
	}
}
