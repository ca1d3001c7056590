package wire_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/rotad/rotad/test/world"
)

// shared is what all worlds use; TestMain alone writes it.
var shared *world.Run

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

// beside is how many worlds run beside each other. They wait for pauses and deadlines most of the time, so there may be
// more of them than processors.
const beside = 4

func runAll(m *testing.M) int {
	flag.Parse()
	err := flag.Set("test.parallel", fmt.Sprint(beside))
	if err == nil {
		shared, err = world.NewRun()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer shared.Close()
	return m.Run()
}
