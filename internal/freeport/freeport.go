// Package freeport finds ports for servers that are told their address before they listen.
//
//	tests of a daemon, of a real server ──► Loopback ──► a port that nothing else here is given
//
// A port that the kernel chooses (port 0) does not do for them: between its being found and its being listened on, the kernel
// may hand it out again, to a connection of any program.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Below the range that kernels hand out on their own (Linux: 32768 and more, ip_local_port_range).
const lowest, highest = 15000, 31000

// given are the ports that this process was given. Their servers may not listen yet, or not at the moment.
var given sync.Map

// Loopback finds a free port of the loopback interface, and finds it only once. It stays free when a server that was killed
// comes back to it.
func Loopback() (int, error) {
	for range 200 {
		port := lowest + rand.IntN(highest-lowest) //nolint:gosec // nobody has to be kept from guessing it
		if _, before := given.LoadOrStore(port, true); before {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) //nolint:noctx // it only asks whether the port is free
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("finding a free port between %d and %d: all were taken", lowest, highest)
}
