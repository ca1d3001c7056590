package exec

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/rotad/rotad/providers"
)

func TestAProgramThatOthersCanChangeIsNotRun(t *testing.T) {
	write := func(t *testing.T, dir string, mode os.FileMode) string {
		path := filepath.Join(dir, "program")
		if err := os.WriteFile(path, []byte("#!/nowhere/interpreter\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		file, dir os.FileMode
		want      error
	}{
		"writable by the group": {0o770, 0o700, errWritable}, "writable by all": {0o702, 0o700, errWritable},
		"not executable": {0o600, 0o700, errNotRunnable}, "in a directory of all": {0o700, 0o777, errDirectory},
		"in a sticky directory": {0o700, 0o777 | os.ModeSticky, nil}, "as it should be": {0o500, 0o700, nil},
	} {
		dir := t.TempDir()
		path := write(t, dir, test.file)
		if err := os.Chmod(dir, test.dir); err != nil {
			t.Fatal(err)
		}
		if err := checkProgram(path); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		_, err := Kind().Open(providers.Opening{Name: "portal", Settings: &Settings{ProgramFile: path}})
		if (err == nil) != (test.want == nil) {
			t.Errorf("%s: opening: %v", name, err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(write(t, t.TempDir(), 0o722), link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{link: errWritable, "program": errNotAbsolute, t.TempDir(): errNotAFile, "/nowhere": os.ErrNotExist} {
		if err := checkProgram(path); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestSettingsThatCannotWorkAreReported(t *testing.T) {
	good := Settings{ProgramFile: programFile, Directory: "/"}
	for name, test := range map[string]struct {
		change func(*Settings)
		path   string
	}{
		"nothing":                {func(*Settings) {}, ""},
		"a relative program":     {func(s *Settings) { s.ProgramFile = "program" }, "program_file"},
		"a program not there":    {func(s *Settings) { s.ProgramFile = "/nowhere" }, ""}, // every missing file is reported elsewhere
		"a relative directory":   {func(s *Settings) { s.Directory = "tmp" }, "directory"},
		"a name with an =":       {func(s *Settings) { s.Environment = map[string]string{"A=B": "c"} }, "environment"},
		"a value with a NUL":     {func(s *Settings) { s.Environment = map[string]string{"A": "\x00"} }, "environment"},
		"a negative time to end": {func(s *Settings) { s.KillAfter = -1 }, "timeout"},
	} {
		s, got := good, ""
		s.Environment = maps.Clone(good.Environment)
		test.change(&s)
		s.Validate(func(path, _, _ string) { got = path })
		if got != test.path {
			t.Errorf("%s: %q, want %q", name, got, test.path)
		}
	}
	if _, err := Kind().Open(providers.Opening{Name: "portal"}); err == nil {
		t.Error("no settings at all were accepted")
	}
}
