package packaging_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/test/servers"
)

// engine is buildah with a store of its own. It needs neither a daemon nor control groups.
type engine struct {
	t       *testing.T
	dir     string
	program string // what "make image" is given: buildah, with what this machine needs
}

// wrapper adds to a build what this machine needs, and nothing that changes the image. There is no registry to ask, so
// modules come from the cache of this machine, in the form of a proxy.
const wrapper = `#!/bin/sh
test "$1" = build && shift && set -- build --isolation chroot --pull-never --no-cache --iidfile '%[1]s/iid' \
	--volume '%[2]s/cache/download:/proxy:ro' --volume '%[3]s:/gocache' "$@"
exec buildah --root '%[1]s/store' --runroot '%[1]s/run' --storage-driver vfs "$@"
`

func newEngine(t *testing.T) engine {
	t.Helper()
	dir := t.TempDir()
	env := func(name string) string {
		return strings.TrimSpace(run(t, exec.CommandContext(t.Context(), "go", "env", name)))
	}
	e := engine{t: t, dir: dir, program: filepath.Join(dir, "buildah")}
	script := fmt.Sprintf(wrapper, dir, env("GOMODCACHE"), env("GOCACHE"))
	if err := os.WriteFile(e.program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e engine) do(args ...string) string {
	e.t.Helper()
	return strings.TrimSpace(run(e.t, exec.CommandContext(e.t.Context(), e.program, args...)))
}

// base makes the image that the Dockerfile begins with, of this machine's Go: the build itself is the Dockerfile's.
func (e engine) base(name string) {
	e.t.Helper()
	cache, err := servers.OpenCache()
	if err != nil {
		e.t.Fatal(err)
	}
	root, err := servers.GolangRoot(e.t.Context(), cache)
	if err != nil {
		e.t.Fatal(err)
	}
	container := e.do("from", "scratch")
	e.do("copy", "--quiet", container, root, "/")
	e.do("config", "--env", "PATH=/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin", "--env", "GOTOOLCHAIN=local",
		"--env", "GOPROXY=file:///proxy", "--env", "GOSUMDB=off", "--env", "GOCACHE=/gocache", container)
	e.do("commit", "--quiet", container, "docker.io/library/"+name)
	e.do("rm", container)
}

// made is a finished image: its id is a digest of its configuration, the other one of what a registry would get.
type made struct{ id, digest string }

func (e engine) image(source string) made {
	e.t.Helper()
	run(e.t, exec.CommandContext(e.t.Context(), "make", "-C", source, "image", "DOCKER="+e.program))
	digest := filepath.Join(e.dir, "digest")
	e.do("push", "--quiet", "--digestfile", digest, "rotad", "dir:"+filepath.Join(e.dir, "pushed"))
	return made{id: contents(e.t, filepath.Join(e.dir, "iid")), digest: contents(e.t, digest)}
}

func contents(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// builtByEngine builds the image twice by the Dockerfile itself, and runs what came out.
func builtByEngine(t *testing.T, source, dist string) {
	run(t, exec.CommandContext(t.Context(), "go", "-C", source, "mod", "download"))
	e := newEngine(t)
	e.base(readDockerfile(t, filepath.Join(source, "Dockerfile")).buildBase)
	first, second := e.image(source), e.image(source)
	t.Logf("the image %s, digest %s", first.id, first.digest)
	if first != second {
		t.Errorf("two builds: %v and %v", first, second)
	}
	img := e.configured()
	container := e.do("from", "--pull-never", "rotad")
	root := e.do("mount", container)
	if got, want := digestOf(t, filepath.Join(root, "rotad")), digests(t, dist)["rotad_0.1.0_linux_amd64"]; got != want {
		t.Errorf("the binary in the image is %s, that of the release %s", got, want)
	}
	if out := run(t, inside(t, img, root, volume(t, root), append(img.entrypoint, "version")...)); !strings.HasPrefix(out, "rotad 0.1.0 (commit ") {
		t.Errorf("it says %q", out)
	}
	args := append(img.entrypoint, "demo", "--once", "--json", "--dir", "/var/lib/rotad/demo")
	if out := run(t, inside(t, img, root, volume(t, root), args...)); !strings.Contains(out, `"event":"summary"`) {
		t.Errorf("the demo ended without a summary:\n%s", out)
	}
}

func digestOf(t *testing.T, path string) string {
	t.Helper()
	sum, _, _ := strings.Cut(run(t, exec.CommandContext(t.Context(), "sha256sum", path)), " ")
	return sum
}

// configured reads from the image what the Dockerfile said.
func (e engine) configured() image {
	e.t.Helper()
	var found struct {
		OCIv1 struct {
			Config struct {
				User, StopSignal     string
				Env, Entrypoint, Cmd []string
				Volumes              map[string]struct{}
			} `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(e.do("inspect", "--type", "image", "rotad")), &found); err != nil {
		e.t.Fatal(err)
	}
	c := found.OCIv1.Config
	img := image{user: c.User, entrypoint: c.Entrypoint, cmd: c.Cmd}
	for _, env := range c.Env {
		if strings.HasPrefix(env, "ROTAD_") { // the engine adds a PATH
			img.env = append(img.env, env)
		}
	}
	if _, ok := c.Volumes["/var/lib/rotad"]; !ok || c.User != "65532:65532" || c.StopSignal != "SIGTERM" || !slices.Equal(c.Cmd, []string{"run"}) {
		e.t.Errorf("the image is configured as %+v", c)
	}
	return img
}
