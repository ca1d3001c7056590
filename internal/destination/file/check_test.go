package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination/file"
)

func TestCheckSaysWhatWouldKeepACopyAway(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("elsewhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "there"), []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		place credential.FilePlace
		want  string
	}{
		"a new file":             {credential.FilePlace{Path: filepath.Join(dir, "new")}, ""},
		"a file that is there":   {credential.FilePlace{Path: filepath.Join(dir, "there"), Mode: "0640"}, ""},
		"no directory":           {credential.FilePlace{Path: filepath.Join(dir, "no", "new")}, "no/new cannot be written: no such file or directory; make it"},
		"a file for a directory": {credential.FilePlace{Path: filepath.Join(dir, "there", "new")}, "there/new cannot be written: not a directory"},
		"a link":                 {credential.FilePlace{Path: filepath.Join(dir, "link")}, "link is not a regular file"},
		"nobody's":               {credential.FilePlace{Path: filepath.Join(dir, "new"), Owner: "no-such-user"}, `there is no user "no-such-user"`},
		"everybody's":            {credential.FilePlace{Path: filepath.Join(dir, "new"), Mode: "0444"}, "lets everybody on this machine read the secret"},
	} {
		t.Run(name, func(t *testing.T) {
			err := file.Check(test.place)
			if (test.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the check has left something: %v, %v", entries, err)
	}
}

func TestWhoMayGiveAFileAway(t *testing.T) {
	for name, test := range map[string]struct {
		owner string
		want  bool
	}{
		"as created": {"", true}, "oneself": {"1000", true}, "a group of one's own": {":7", true}, "both": {"1000:7", true},
		"somebody else": {"1001", false}, "a group of others": {":8", false}, "oneself, and a group of others": {"1000:8", false},
	} {
		if got := file.Within(t, test.owner, 1000, []int{7, 1000}); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	const status = "Name:\trotad\nCapPrm:\t0000000000000001\nCapEff:\t"
	for text, want := range map[string]bool{
		status + "000001ffffffffff\n": true, status + "0000000000000001\n": true, status + "0000000000000002\n": false, status + "x\n": false, "": false,
	} {
		if got := file.Chowns(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
