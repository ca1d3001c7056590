package watch_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rotad/rotad/test/servers"
)

const dashboards = "../../deploy/grafana/provisioning/dashboards"

// TestDashboardsFitGrafanasTypes lets the TypeScript compiler compare the dashboards with what Grafana publishes.
func TestDashboardsFitGrafanasTypes(t *testing.T) {
	t.Parallel()
	cache, err := servers.OpenCache()
	must(t, err)
	installed, err := servers.InstallNPM(t.Context(), cache, "schema")
	must(t, err)
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS("types")))
	must(t, os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")))
	files, err := filepath.Glob(dashboards + "/*.json")
	must(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		must(t, err)
		name := strings.TrimSuffix(filepath.Base(file), ".json") + ".ts"
		text := fmt.Sprintf("import type { Provisioned } from './types';\nexport const d: Provisioned = %s;\n", raw)
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	if len(files) != 3 {
		t.Errorf("%d dashboards were checked, want 3", len(files))
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(dir, "node_modules", "typescript", "bin", "tsc"), "-p", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the compiler refuses a dashboard: %v\n%s", err, out)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
