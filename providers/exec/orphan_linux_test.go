package exec

import (
	osexec "os/exec"
	"testing"
)

// Nobody is left to keep the deadline of a program whose rotad was killed, and its create must not land after it.
func TestAProgramEndsWithRotad(t *testing.T) {
	address, next := knocks(t)
	cmd := osexec.CommandContext(t.Context(), programFile)
	cmd.Env = []string{asProgram + "=" + rotad, "KNOCK=" + address}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program := next()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, program)
	_ = cmd.Wait()
}
