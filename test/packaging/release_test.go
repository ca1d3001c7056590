package packaging_test

import (
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The releases of this test are made from commits of this time.
const (
	committed = "2026-01-02T03:04:05Z"
	oldTag    = "v0.1.0"
	newTag    = "v0.2.0"
)

// TestRelease makes releases as a person would, by "make release" on a tagged commit, and tries what is in them.
func TestRelease(t *testing.T) {
	base := t.TempDir()
	first, second := filepath.Join(base, "first"), filepath.Join(base, "another", "place")
	repository(t, first)
	repository(t, second)
	for _, name := range []string{"old", "again", "new"} {
		if err := os.MkdirAll(filepath.Join(base, "packages", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dist := func(name string) string { return filepath.Join(base, "packages", name) }
	release(t, first, "022", "DIST="+dist("old"))
	release(t, second, "077", "DIST="+dist("again"), "TZ=Asia/Kathmandu", "LC_ALL=C.UTF-8")
	tomorrow(t, first)
	release(t, first, "022", "DIST="+dist("new"), "ARCHES=amd64")

	t.Run("it is whole", func(t *testing.T) { whole(t, dist("old")) })
	t.Run("two of the same commit are the same", func(t *testing.T) { equal(t, dist("old"), dist("again")) })
	t.Run("the binaries are static and know what they are", func(t *testing.T) { binaries(t, first, dist("old")) })
	t.Run("the SBOM lists what is in the binary", func(t *testing.T) { materials(t, dist("old")) })
	t.Run("a tree with changes is refused", func(t *testing.T) { refusesChanges(t, first) })
	t.Run("the image holds the same binary", func(t *testing.T) { builtByEngine(t, second, dist("old")) })
	t.Run("deb", func(t *testing.T) { debian().story(t, filepath.Join(base, "packages")) })
	t.Run("rpm", func(t *testing.T) { redHat(t).story(t, filepath.Join(base, "packages")) })
}

// repository copies the tree as it is, with what is not committed yet, into a repository of its own with one commit
// that has a tag. Two of them have the same commit.
func repository(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const copyTree = `git -C ../.. ls-files -z --cached --others --exclude-standard |
		tar -C ../.. -c --null --ignore-failed-read -T - | tar -x --no-same-owner -C "$0"`
	run(t, exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", copyTree, dir))
	git(t, dir, "init", "--quiet", "--initial-branch=main")
	commit(t, dir, oldTag)
}

func commit(t *testing.T, dir, tag string) {
	t.Helper()
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "--message=release")
	git(t, dir, "tag", tag)
}

// git runs git as nobody in particular, whatever is set up on this machine.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=nobody", "GIT_AUTHOR_EMAIL=nobody@example.com", "GIT_AUTHOR_DATE=" + committed,
		"GIT_COMMITTER_NAME=nobody", "GIT_COMMITTER_EMAIL=nobody@example.com", "GIT_COMMITTER_DATE=" + committed,
	}
	return strings.TrimSpace(run(t, cmd))
}

var schema = regexp.MustCompile(`(?m)^const Schema = 1$`)

// tomorrow commits a rotad that writes the next schema.
func tomorrow(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "state/codec.go")
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !schema.Match(source) {
		t.Fatalf("%s has no line %s: adapt this test to the schema", path, schema)
	}
	if err := os.WriteFile(path, schema.ReplaceAll(source, []byte("const Schema = 2")), 0o644); err != nil {
		t.Fatal(err)
	}
	commit(t, dir, newTag)
}

// release runs "make release" under a umask; what else is given is set for make, and in the environment.
func release(t *testing.T, dir, umask string, settings ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", `umask "$0"; exec make release "$@"`, umask)
	cmd.Args = append(cmd.Args, settings...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), settings...)
	run(t, cmd)
}

// digests reads the checksums of a release, after they were compared with the files.
func digests(t *testing.T, dist string) map[string]string {
	t.Helper()
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
	check.Dir = dist
	run(t, check)
	text, err := os.ReadFile(filepath.Join(dist, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}
	return sums
}

func whole(t *testing.T, dist string) {
	want := []string{
		"rotad-0.1.0-1.aarch64.rpm", "rotad-0.1.0-1.x86_64.rpm", "rotad_0.1.0_amd64.deb", "rotad_0.1.0_arm64.deb",
		"rotad_0.1.0_linux_amd64", "rotad_0.1.0_linux_amd64.cdx.json", "rotad_0.1.0_linux_arm64", "rotad_0.1.0_linux_arm64.cdx.json",
	}
	if got := slices.Sorted(maps.Keys(digests(t, dist))); !slices.Equal(got, want) {
		t.Errorf("checksums of\n%q, want\n%q", got, want)
	}
	files, err := fs.Glob(os.DirFS(dist), "*")
	if err != nil || !slices.Equal(files, append([]string{"SHA256SUMS"}, want...)) {
		t.Errorf("files %q, %v", files, err)
	}
}

func equal(t *testing.T, dist, again string) {
	first, second := digests(t, dist), digests(t, again)
	for name, sum := range first {
		if second[name] != sum {
			t.Errorf("%s: %s, and made again %s", name, sum, second[name])
		}
	}
}

func binaries(t *testing.T, source, dist string) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		file, err := elf.Open(filepath.Join(dist, "rotad_0.1.0_linux_"+arch))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if file.Machine != machine {
			t.Errorf("%s is for %v", arch, file.Machine)
		}
		for _, p := range file.Progs {
			if p.Type == elf.PT_INTERP {
				t.Errorf("%s asks for a dynamic loader", arch)
			}
		}
	}
	// The tag has moved on by now; the commit before it is what the release was made from.
	want := "rotad 0.1.0 (commit " + git(t, source, "rev-parse", oldTag+"^{commit}") + ", go1."
	if got := run(t, exec.CommandContext(t.Context(), filepath.Join(dist, "rotad_0.1.0_linux_amd64"), "version")); !strings.HasPrefix(got, want) {
		t.Errorf("version printed %q, want %q...", got, want)
	}
}

// bom is what is read of an SBOM.
type bom struct {
	Format   string `json:"bomFormat"`
	Serial   string `json:"serialNumber"`
	Metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	} `json:"metadata"`
	Components []component `json:"components"`
}

type component struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

func materials(t *testing.T, dist string) {
	for _, arch := range []string{"amd64", "arm64"} {
		binary := filepath.Join(dist, "rotad_0.1.0_linux_"+arch)
		text, err := os.ReadFile(binary + ".cdx.json")
		if err != nil {
			t.Fatal(err)
		}
		var found bom
		if err := json.Unmarshal(text, &found); err != nil {
			t.Fatal(err)
		}
		if found.Format != "CycloneDX" || found.Serial != "" || found.Metadata.Timestamp != committed {
			t.Errorf("%s: format %s, serial number %q, time %s", arch, found.Format, found.Serial, found.Metadata.Timestamp)
		}
		if main := (component{"github.com/rotad/rotad", oldTag}); found.Metadata.Component != main {
			t.Errorf("%s: it is about %v, want %v", arch, found.Metadata.Component, main)
		}
		info, err := buildinfo.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		want := []component{{"std", info.GoVersion}}
		for _, dep := range info.Deps {
			want = append(want, component{dep.Path, dep.Version})
		}
		for _, c := range want {
			if !slices.Contains(found.Components, c) {
				t.Errorf("%s: %v is missing", arch, c)
			}
		}
		if len(found.Components) != len(want) || len(want) < 10 {
			t.Errorf("%s: %d components, and %d modules in the binary", arch, len(found.Components), len(want))
		}
	}
}

// What nobody has committed nobody could build again.
func refusesChanges(t *testing.T, dir string) {
	if err := os.WriteFile(filepath.Join(dir, "forgotten.go"), []byte("package rotad\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "make", "release", "DIST="+filepath.Join(t.TempDir(), "dist"))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "error: there are changes that are not committed") {
		t.Errorf("%v\n%s", err, out)
	}
}
