package exec

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Settings are the block of a provider of this kind.
type Settings struct {
	ProgramFile    string            `yaml:"program_file" required:"true" doc:"The program. It gets no arguments; only its owner may be able to write it."`
	Directory      string            `yaml:"directory" default:"/" doc:"Working directory of the program, absolute."`
	Environment    map[string]string `yaml:"environment" doc:"The whole environment of the program; no place for secrets."`
	Settings       map[string]string `yaml:"settings" doc:"Handed to the program with every call; no place for secrets."`
	CredentialFile string            `yaml:"credential_file" doc:"The program's own credential, handed to it on stdin."`
	CredentialEnv  string            `yaml:"credential_env" doc:"The program's own credential, in a variable of rotad."`
	SecretField    string            `yaml:"secret_field" default:"client_secret" doc:"Field of the bundle for a value that rotad chooses (mode caller-chosen)."`
	Timeout        time.Duration     `yaml:"timeout" default:"20s" doc:"Of a call that changes nothing."`
	KillAfter      time.Duration     `yaml:"kill_after" default:"5s" doc:"From SIGTERM to SIGKILL, once the time of a call is over."`
}

// defaultPropagation is how long a new secret may take to be accepted everywhere, where nobody configured it. It
// covers the slowest servers that are known.
const defaultPropagation = 2 * time.Minute

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Validate reports what tags cannot express. That the program exists is checked with every other file.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if err := checkProgram(s.ProgramFile); err != nil && !errors.Is(err, os.ErrNotExist) && s.ProgramFile != "" {
		report("program_file", err.Error(), "write the absolute path of a program that only its owner can write (chmod go-w)")
	}
	if s.Directory != "" && (!filepath.IsAbs(s.Directory) || strings.ContainsRune(s.Directory, 0)) {
		report("directory", "is not an absolute path", "write one that begins with /")
	}
	for _, name := range sortedNames(s.Environment) {
		if !variable.MatchString(name) || strings.ContainsRune(s.Environment[name], 0) {
			report("environment", "has a name or value that no environment can hold", "write NAME: value")
		}
	}
	if s.Timeout < 0 || s.KillAfter < 0 {
		report("timeout", "is negative, or kill_after is", "write a duration such as 20s")
	}
}

func sortedNames(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var errSettings = errors.New("the settings are not those of this kind")

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	if err := checkProgram(s.ProgramFile); err != nil {
		return nil, fmt.Errorf("program_file: %w", err)
	}
	p := &provider{
		name: o.Name, settings: *s, headers: o.Headers, secret: o.Secret, log: o.Log,
		deadline: or(o.Deadline, httpapi.DefaultDeadline), propagation: or(o.Propagation, defaultPropagation),
	}
	p.settings.Directory = or(s.Directory, "/")
	p.settings.SecretField = or(s.SecretField, credential.FieldClientSecret)
	p.settings.Timeout = or(s.Timeout, httpapi.DefaultTimeout)
	p.settings.KillAfter = or(s.KillAfter, defaultKillAfter)
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	return p, nil
}

const defaultKillAfter = 5 * time.Second

// or returns the default for a zero value.
func or[T comparable](v, standard T) T {
	var zero T
	if v == zero {
		return standard
	}
	return v
}

var (
	errNotAbsolute = errors.New("the path of the program is not absolute")
	errNotAFile    = errors.New("the program is not a regular file")
	errNotRunnable = errors.New("the program is not executable: chmod +x")
	errWritable    = errors.New("others than its owner can write the program, and so run what they like with rotad's credential")
	errOwner       = errors.New("the program belongs to somebody else than root and rotad's user, who could change it")
	errDirectory   = errors.New("others than its owner can write the directory of the program, and so replace it")
)

// checkProgram says whether a program may be run: what others can change runs with rotad's rights. It is asked at the
// start and again before every call, because files change. Symbolic links are followed: what they lead to counts.
func checkProgram(path string) error {
	if !filepath.IsAbs(path) {
		return errNotAbsolute
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return plainly(err)
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return plainly(err)
	case !info.Mode().IsRegular():
		return errNotAFile
	case info.Mode()&0o111 == 0:
		return errNotRunnable
	case info.Mode()&0o022 != 0:
		return errWritable
	case !trusted(info):
		return errOwner
	}
	above, err := os.Stat(filepath.Dir(real))
	switch {
	case err != nil:
		return plainly(err)
	case above.Mode()&0o022 != 0 && above.Mode()&os.ModeSticky == 0:
		return errDirectory
	}
	return nil
}
