package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/freeport"
)

// freeAddress returns an address on this machine that nobody listens on.
func freeAddress() (string, error) {
	port, err := freeport.Loopback()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), err
}

// says lets a consumer say over the network which version it runs on, and compares the status: says 200 spare web token-file 7.
func says(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: says status client consumer token-file version")
	}
	url := "http://" + ts.Getenv("HANDSHAKE") + "/v1/clients/" + args[1] + "/consumers/" + args[2]
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(`{"version": `+args[4]+`}`))
	ts.Check(err)
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(ts.ReadFile(args[3])))
	reply, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(reply.Body)
	ts.Check(err)
	if strconv.Itoa(reply.StatusCode) != args[0] {
		ts.Fatalf("status %d, want %s: %s", reply.StatusCode, args[0], body)
	}
}
