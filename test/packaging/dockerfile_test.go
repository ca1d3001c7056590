package packaging_test

import (
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/test/servers"
)

// image is what the last stage of a Dockerfile says.
type image struct {
	base       string
	buildBase  string // of the first stage
	copies     []copyLine
	user       string
	env        []string
	entrypoint []string
	cmd        []string
	health     []string
	volumes    []string
	buildRuns  []string // RUN lines of the earlier stages
}

// copyLine is one COPY: from another stage, with an owner or none.
type copyLine struct{ from, chown, src, dst string }

// readDockerfile reads the few instructions that this project's Dockerfile uses, and fails on any other.
func readDockerfile(t *testing.T, path string) image {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var img image
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		img.apply(t, word, strings.TrimSpace(rest))
	}
	return img
}

func (img *image) apply(t *testing.T, word, rest string) {
	t.Helper()
	switch word {
	case "FROM":
		base := strings.Fields(rest)[0]
		*img = image{base: base, buildBase: cmp.Or(img.buildBase, base), buildRuns: img.buildRuns}
	case "COPY":
		img.copies = append(img.copies, parseCopy(t, rest))
	case "RUN":
		img.buildRuns = append(img.buildRuns, rest)
	case "USER":
		img.user = rest
	case "ENV":
		img.env = append(img.env, rest)
	case "ENTRYPOINT":
		img.entrypoint = list(t, rest)
	case "CMD":
		img.cmd = list(t, rest)
	case "VOLUME":
		img.volumes = list(t, rest)
	case "HEALTHCHECK":
		_, command, ok := strings.Cut(rest, " CMD ")
		if !ok {
			t.Fatalf("HEALTHCHECK %s: no CMD", rest)
		}
		img.health = list(t, command)
	case "WORKDIR", "EXPOSE", "STOPSIGNAL", "ARG":
	default:
		t.Fatalf("the test does not know the instruction %s", word)
	}
}

func parseCopy(t *testing.T, rest string) copyLine {
	t.Helper()
	var c copyLine
	var paths []string
	for word := range strings.FieldsSeq(rest) {
		if value, ok := strings.CutPrefix(word, "--from="); ok {
			c.from = value
		} else if value, ok := strings.CutPrefix(word, "--chown="); ok {
			c.chown = value
		} else {
			paths = append(paths, word)
		}
	}
	if len(paths) < 2 {
		t.Fatalf("COPY %s: want a source and a destination", rest)
	}
	c.src, c.dst = paths[0], paths[len(paths)-1]
	return c
}

func list(t *testing.T, rest string) []string {
	t.Helper()
	var words []string
	if err := json.Unmarshal([]byte(rest), &words); err != nil {
		t.Fatalf("%s: want the form [\"a\", \"b\"], which needs no shell: %v", rest, err)
	}
	return words
}

// The image has no shell, so everything it starts is a list; and what it starts is rotad.
func TestLastStageIsScratchAndStartsTheDaemon(t *testing.T) {
	img := readDockerfile(t, "../../Dockerfile")
	if img.base != "scratch" {
		t.Errorf("the last stage is FROM %s, want scratch", img.base)
	}
	if img.user != "65532:65532" {
		t.Errorf("USER %s, want 65532:65532", img.user)
	}
	if !slices.Equal(img.entrypoint, []string{"/rotad"}) || !slices.Equal(img.cmd, []string{"run"}) {
		t.Errorf("it starts %q with %q, want /rotad with run", img.entrypoint, img.cmd)
	}
	if !slices.Equal(img.health, []string{"/rotad", "health"}) {
		t.Errorf("HEALTHCHECK %q, want /rotad health", img.health)
	}
	if !slices.Equal(img.volumes, []string{"/var/lib/rotad"}) {
		t.Errorf("VOLUME %q, want the state directory", img.volumes)
	}
	const build = "make image-root OUT=/out "
	if !slices.ContainsFunc(img.buildRuns, func(run string) bool { return strings.HasPrefix(run, build) }) {
		t.Errorf("no build stage runs %q, which is what this package assembles the root with", build)
	}
}

// The same Dockerfile must mean the same Go tomorrow.
func TestDockerfileNamesItsGoExactly(t *testing.T) {
	if base := readDockerfile(t, "../../Dockerfile").buildBase; !regexp.MustCompile(`^golang:1\.\d+\.\d+$`).MatchString(base) {
		t.Errorf("it is built FROM %s, want golang:1.x.y", base)
	}
}

func TestDockerfileIsLinted(t *testing.T) {
	cache, err := servers.OpenCache()
	if err != nil {
		t.Fatal(err)
	}
	hadolint, err := servers.InstallHadolint(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), hadolint, "../../Dockerfile").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("hadolint: %v\n%s", err, out)
	}
}
