package freeport_test

import (
	"testing"

	"github.com/rotad/rotad/internal/freeport"
)

func TestAPortIsGivenOnceAndOutsideOfWhatTheKernelHandsOut(t *testing.T) {
	seen := map[int]bool{}
	for range 500 {
		port, err := freeport.Loopback()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Errorf("port %d is given twice", port)
		}
		seen[port] = true
		if port < 1024 || port >= 32768 {
			t.Errorf("the kernel may hand out port %d", port)
		}
	}
}
