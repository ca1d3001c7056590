package file_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination/destinationtest"
	"github.com/rotad/rotad/internal/destination/file"
)

// world is a file in a directory of its own.
type world struct {
	place credential.FilePlace
	read  func(*testing.T, []byte) map[string]string
}

func (w *world) Destination() credential.Destination {
	return credential.Destination{Name: "app", File: &w.place}
}

func (w *world) Held(t *testing.T) map[string]string {
	content, err := os.ReadFile(w.place.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Error(err)
	}
	return w.read(t, content)
}

func (w *world) Stamp(t *testing.T) string {
	t.Helper()
	info, err := os.Stat(w.place.Path)
	if err != nil {
		t.Fatal(err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatal("this system has no inodes")
	}
	return fmt.Sprint(stat.Ino, info.ModTime())
}

func (w *world) Tamper(t *testing.T) {
	t.Helper()
	if err := errors.Join(os.Remove(w.place.Path), os.WriteFile(w.place.Path, []byte("something else"), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// Break takes the directory away, as when what it lies on is not mounted.
func (w *world) Break(t *testing.T) func() {
	t.Helper()
	dir := filepath.Dir(w.place.Path)
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(dir+".away", dir); err != nil {
			t.Fatal(err)
		}
	}
}

func jsonOf(t *testing.T, content []byte) map[string]string {
	var out map[string]string
	if err := json.Unmarshal(content, &out); err != nil {
		t.Error("half a file:", len(content), "bytes")
	}
	return out
}

func linesOf(t *testing.T, content []byte) map[string]string {
	out := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(string(content))); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), "=")
		if !ok {
			t.Error("a line without a name")
		}
		out[strings.ToLower(name)] = value
	}
	return out
}

func TestConformance(t *testing.T) {
	worlds := map[string]world{
		"json": {credential.FilePlace{Format: credential.FileJSON, Previous: map[string]string{"client_secret": "client_secret_previous"}}, jsonOf},
		"env":  {credential.FilePlace{Format: credential.FileEnv, Previous: map[string]string{"client_secret": "CLIENT_SECRET_PREVIOUS"}}, linesOf},
		"template": {credential.FilePlace{
			Format: credential.FileTemplate, Previous: map[string]string{},
			Template: "{\"client_id\": {{json .client_id}},\n{{with .previous.client_secret}}\"client_secret_previous\": {{json .}},{{end}}\"client_secret\": {{json .client_secret}}}\n",
		}, jsonOf},
	}
	for name, w := range worlds {
		t.Run(name, func(t *testing.T) {
			destinationtest.Run(t, func(t *testing.T) destinationtest.World {
				fresh := w
				fresh.place.Path = filepath.Join(t.TempDir(), "secrets", "billing")
				if err := os.Mkdir(filepath.Dir(fresh.place.Path), 0o750); err != nil {
					t.Fatal(err)
				}
				return &fresh
			})
		})
	}
}

func copyOf(fields ...string) credential.Copy {
	b := credential.Bundle{}
	for i := 0; i < len(fields); i += 2 {
		b[fields[i]] = credential.NewSensitive(fields[i+1])
	}
	return credential.Copy{Client: "billing", Version: 1, Bundle: b}
}

func TestRender(t *testing.T) {
	c := copyOf("client_id", "billing", "client_secret", "s3cret")
	odd := copyOf("client_secret", `a "b" $c`)
	numbered := c
	numbered.Version = 41
	tests := map[string]struct {
		place credential.FilePlace
		copy  credential.Copy
		want  string // empty = refused, with the words of err
		err   string
	}{
		"raw, as Docker mounts it":                  {credential.FilePlace{}, c, "s3cret", ""},
		"another field":                             {credential.FilePlace{Field: "client_id"}, c, "billing", ""},
		"a field that is not there":                 {credential.FilePlace{Field: "key_id"}, c, "", `no field "key_id"; it has client_id, client_secret, version`},
		"the version alone":                         {credential.FilePlace{Field: "version"}, numbered, "41", ""},
		"env":                                       {credential.FilePlace{Format: "env"}, c, "CLIENT_ID=billing\nCLIENT_SECRET=s3cret\n", ""},
		"env, named":                                {credential.FilePlace{Format: "env", Names: map[string]string{"client_secret": "AUTH_CLIENT_SECRET"}}, c, "AUTH_CLIENT_SECRET=s3cret\n", ""},
		"env, with the version":                     {credential.FilePlace{Format: "env", Names: map[string]string{"client_secret": "X", "version": "X_VERSION"}}, numbered, "X=s3cret\nX_VERSION=41\n", ""},
		"all fields are the bundle's":               {credential.FilePlace{Format: "json"}, copyOf("client_secret", "s3cret"), `{"client_secret":"s3cret"}` + "\n", ""},
		"a field called version":                    {credential.FilePlace{Field: "version"}, copyOf("version", "theirs"), "theirs", ""},
		"env, a value that is read in several ways": {credential.FilePlace{Format: "env"}, odd, "", "use the format json or raw"},
		"json quotes it":                            {credential.FilePlace{Format: "json"}, odd, `{"client_secret":"a \"b\" $c"}` + "\n", ""},
		"json keeps signs":                          {credential.FilePlace{Format: "json"}, copyOf("client_secret", "<&>"), `{"client_secret":"<&>"}` + "\n", ""},
		"template":                                  {credential.FilePlace{Format: "template", Template: `id {{.client_id}}`}, c, "id billing", ""},
		"template, with the version":                {credential.FilePlace{Format: "template", Template: `{{.version}}`}, numbered, "41", ""},
		"a template about other things":             {credential.FilePlace{Format: "template", Template: `{{.client_secret}}{{.key_id}}`}, c, "", "which has client_id, client_secret, version"},
		"a template that is none":                   {credential.FilePlace{Format: "template", Template: `{{`}, c, "", "reading the template"},
		"no such format":                            {credential.FilePlace{Format: "toml"}, c, "", `no format "toml"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := file.Render(test.place, test.copy)
			switch {
			case test.err == "" && (err != nil || string(got) != test.want):
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("got %v, want an error with %q", err, test.err)
			case err != nil && strings.Contains(err.Error(), "s3cret"):
				t.Error("the error has the secret in it")
			}
		})
	}
}

func TestModeAndOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billing")
	p := credential.FilePlace{Path: path, Mode: "0400", Owner: fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())}
	for _, mode := range []string{"0400", "0640", ""} {
		p.Mode = mode
		if written, err := file.Deliver(t.Context(), p, copyOf("client_secret", "s3cret")); err != nil || !written {
			t.Fatalf("mode %q: written %t, %v", mode, written, err)
		}
		want, err := p.Permissions()
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("mode %v, want %v (%v)", info.Mode(), want, err)
		}
	}
	for _, mode := range []string{"0444", "8", "rw", "01777"} {
		p.Mode = mode
		if _, err := p.Permissions(); err == nil {
			t.Errorf("the mode %s was taken", mode)
		}
	}
	p.Mode, p.Owner = "", "nobody-of-this-name"
	if _, err := file.Deliver(t.Context(), p, copyOf("client_secret", "s3cret")); err == nil || !strings.Contains(err.Error(), "no user") {
		t.Errorf("an owner that does not exist: %v", err)
	}
}

// A link that somebody put there is not followed, and not replaced: both would surprise whoever made it.
func TestALinkIsRefused(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "billing"), filepath.Join(dir, "other")
	if err := errors.Join(os.WriteFile(other, []byte("kept"), 0o600), os.Symlink(other, path)); err != nil {
		t.Fatal(err)
	}
	_, err := file.Deliver(t.Context(), credential.FilePlace{Path: path}, copyOf("client_secret", "s3cret"))
	if kept, _ := os.ReadFile(other); err == nil || string(kept) != "kept" {
		t.Errorf("%v; the file behind the link holds %q", err, kept)
	}
}

// A process that died while it wrote leaves a file with a secret in it. The next one removes it, and nobody else's.
func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".billing.rotad-ABC", ".billing-2.rotad-ABC", "billing.rotad-ABC"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := file.Deliver(t.Context(), credential.FilePlace{Path: filepath.Join(dir, "billing")}, copyOf("client_secret", "s3cret")); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if got := strings.Join(left, " "); got != ".billing-2.rotad-ABC billing billing.rotad-ABC" {
		t.Errorf("in the directory: %s", got)
	}
}
