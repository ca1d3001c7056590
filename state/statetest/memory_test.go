package statetest_test

import (
	"testing"

	"github.com/rotad/rotad/state/statetest"
)

func TestMemory(t *testing.T) {
	statetest.Run(t, func(*testing.T) statetest.Store { return statetest.NewMemory() })
}
