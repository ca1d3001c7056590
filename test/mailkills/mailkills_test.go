package mailkills_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/rotad/rotad/test/mailkills"
	"github.com/rotad/rotad/test/world"
)

// shared is what all tests use, and program the daemon; TestMain alone writes them.
var (
	shared  *world.Run
	program string
)

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	var err error
	if shared, err = world.NewRun(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer shared.Close()
	dir, err := os.MkdirTemp("", "rotad-mailkills-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		program, err = mailkills.Build(context.Background(), shared.Root, dir)
	}
	if err == nil {
		err = os.Setenv("ROTAD_TEST_BINARY", program)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return m.Run()
}

func number(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: want a number above 0, got %q", name, text)
	}
	return n
}

// A daemon that is killed with SIGKILL at any moment of its work as a messenger loses no mail, and doubles none but those that
// the server had taken and the disk did not know of yet: one for each kill where it tells one thing after the other.
func TestKillsLoseNoMail(t *testing.T) {
	mailkills.Run(t, shared, program, mailkills.Settings{
		Kills: number(t, "ROTAD_MAIL_KILLS", 20), Seed: uint64(number(t, "ROTAD_MAIL_KILLS_SEED", 1)),
	})
}
