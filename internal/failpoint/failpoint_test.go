package failpoint_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// build builds a package of this module and returns the program.
func build(t *testing.T, pkg string, flags ...string) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), "program")
	args := append(append([]string{"build"}, flags...), "-o", target, pkg)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return target
}

// contains says which of the words stand in a program.
func contains(t *testing.T, program string, words ...string) (found []string) {
	t.Helper()
	raw, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range words {
		if bytes.Contains(raw, []byte(word)) {
			found = append(found, word)
		}
	}
	return found
}

const example = "./internal/failpoint/testdata/dies"

// What people run must not be able to kill itself, and must not pay for the points: without the tag neither the
// variable nor the names of points are in the program. That the words can be found is shown by the example with the tag.
func TestAProgramWithoutTheTagHasNoPoints(t *testing.T) {
	words := []string{"ROTAD_FAILPOINTS", "failpoint: ", "next-fence"} // names of other points are words that a program may say
	if found := contains(t, build(t, "./cmd/rotad"), words...); len(found) > 0 {
		t.Errorf("the daemon without the tag contains %q", found)
	}
	if found := contains(t, build(t, example, "-tags", "failpoints"), words[:2]...); len(found) != 2 {
		t.Errorf("with the tag only %q was found: this test could not fail", found)
	}
}

// outcome runs a program with points armed and returns what it printed, what it said at its death, and whether it was
// killed.
func outcome(t *testing.T, program, armed string) (printed, said string, killed bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = []string{"ROTAD_FAILPOINTS=" + armed}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status, ok := exit.Sys().(syscall.WaitStatus)
		killed = ok && status.Signaled() && status.Signal() == syscall.SIGKILL
	} else if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(out.String()), " "), strings.TrimSpace(errs.String()), killed
}

func TestAPointKillsWhereTheVariableSaysSo(t *testing.T) {
	program := build(t, example, "-tags", "failpoints")
	const all = "outlived billing outlived catalogue outlived billing ended"
	tests := map[string]struct {
		armed, printed, said string
		killed               bool
	}{
		"nothing armed":          {"", all, "", false},
		"another point":          {"work/done", all, "", false},
		"the first time":         {"work/begun", "", "failpoint: work/begun billing", true},
		"the second time":        {"work/begun#2", "outlived billing", "failpoint: work/begun catalogue", true},
		"of a client":            {"work/begun@cat", "outlived billing", "failpoint: work/begun catalogue", true},
		"of a client, again":     {"work/begun@bill#2", "outlived billing outlived catalogue", "failpoint: work/begun billing", true},
		"never so often":         {"work/begun#4", all, "", false},
		"a while after it":       {"work/begun+20ms", strings.TrimSuffix(all, " ended"), "failpoint: work/begun+ billing", true},
		"too young":              {"work/begun~1h", all, "", false},
		"old enough":             {"work/begun@cat~1ns", "outlived billing", "failpoint: work/begun catalogue", true},
		"whichever comes first":  {"work/done;work/begun#3;work/begun@cat", "outlived billing", "failpoint: work/begun catalogue", true},
		"what cannot be read":    {"work", "", `failpoint: reading the failpoint "work": want point/part`, false},
		"a number that is none":  {"work/begun#x", "", `failpoint: reading the failpoint "work/begun#x": strconv.ParseInt: parsing "x": invalid syntax`, false},
		"a delay without a unit": {"work/begun+1", "", `failpoint: reading the failpoint "work/begun+1": time: missing unit in duration "1"`, false},
	}
	for name, test := range tests {
		printed, said, killed := outcome(t, program, test.armed)
		if printed != test.printed || said != test.said || killed != test.killed {
			t.Errorf("%s: printed %q, said %q, killed %t", name, printed, said, killed)
		}
	}
}

func TestWithoutTheTagTheVariableMeansNothing(t *testing.T) {
	printed, said, killed := outcome(t, build(t, example), "work/begun")
	if killed || said != "" || !strings.HasSuffix(printed, "ended") {
		t.Errorf("printed %q, said %q, killed %t", printed, said, killed)
	}
}
