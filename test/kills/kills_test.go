package kills_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/rotad/rotad/test/kills"
	"github.com/rotad/rotad/test/world"
)

// number reads a variable that holds a number.
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

// A daemon that is killed with SIGKILL at any moment of any rotation loses no secret: after every kill its state is
// whole, what Vault hands out is accepted, and when it is let live all is quiet and nothing is left over.
func TestKillsLoseNothing(t *testing.T) {
	shared, err := world.NewRun()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shared.Close)
	wanted := number(t, "ROTAD_KILLS", 50)
	kills.Run(t, shared, kills.Settings{
		Kills: wanted, Seed: uint64(number(t, "ROTAD_KILLS_SEED", 1)),
		Worlds: number(t, "ROTAD_KILLS_WORLDS", min(10, 3+wanted/50)),
	})
}
