package chart_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

const (
	chartDir = "../../deploy/helm/rotad"
	release  = "rotad"
	minimal  = chartDir + "/ci/minimal-values.yaml"
	full     = chartDir + "/ci/full-values.yaml"
)

var update = flag.Bool("update", false, "write the golden files")

// shared is what all tests use; TestMain alone writes it.
var shared *world.Run

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	flag.Parse()
	var err error
	if shared, err = world.NewRun(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer shared.Close()
	defer stopAPI()
	return m.Run()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// helmCommand prepares helm with nothing of the caller's own settings. Values "file" and "a=b" are told apart.
func helmCommand(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	program, err := servers.InstallHelm(context.WithoutCancel(ctx), shared.Cache, shared.Module)
	must(t, err)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(servers.BareEnv(), "HOME="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func helm(t testing.TB, args ...string) (stdout string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := helmCommand(t.Context(), t, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err = cmd.Run(); err != nil {
		err = fmt.Errorf("helm %s: %w\n%s%s", strings.Join(args, " "), err, errs.String(), out.String())
	}
	return out.String(), err
}

// chosen are the flags for values: a file, or key=value.
func chosen(values ...string) []string {
	var flags []string
	for _, v := range values {
		if strings.Contains(v, "=") {
			flags = append(flags, "--set", v)
		} else {
			flags = append(flags, "--values", v)
		}
	}
	return flags
}

// render is everything that helm would send, hooks and test included.
func render(t testing.TB, values ...string) string {
	t.Helper()
	out, err := helm(t, append([]string{"template", release, chartDir, "--namespace", "security"}, chosen(values...)...)...)
	must(t, err)
	return out
}

// object is one object of Kubernetes.
type object map[string]any

func objects(t testing.TB, text string) []object {
	t.Helper()
	var all []object
	for from := yaml.NewDecoder(strings.NewReader(text)); ; {
		var o object
		err := from.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all
		}
		must(t, err)
		if len(o) > 0 {
			all = append(all, o)
		}
	}
}

// find returns the one object of a kind whose name ends in suffix.
func find(t testing.TB, all []object, kind, suffix string) object {
	t.Helper()
	for _, o := range all {
		if o["kind"] == kind && strings.HasSuffix(o.text("metadata", "name"), suffix) {
			return o
		}
	}
	t.Fatalf("there is no %s whose name ends in %q", kind, suffix)
	return nil
}

// at returns what stands at a path of keys and, in lists, of positions; nil where nothing does.
func (o object) at(path ...any) any {
	var here any = map[string]any(o)
	for _, step := range path {
		switch key := step.(type) {
		case string:
			next, _ := asObject(here)
			here = next[key]
		case int:
			list, _ := here.([]any)
			if key >= len(list) {
				return nil
			}
			here = list[key]
		}
	}
	return here
}

func asObject(value any) (object, bool) {
	switch v := value.(type) {
	case object:
		return v, true
	case map[string]any:
		return v, true
	}
	return nil, false
}

func (o object) text(path ...any) string {
	text, _ := o.at(path...).(string)
	return text
}

func (o object) list(path ...any) []object {
	items, _ := o.at(path...).([]any)
	var all []object
	for _, item := range items {
		if part, ok := asObject(item); ok {
			all = append(all, part)
		}
	}
	return all
}

func write(t testing.TB, file, text string) string {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}
