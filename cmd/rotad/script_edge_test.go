package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/sandbox"
)

const edgeToken = "the-token-for-the-edge"

// addEdge adds a further Vault, which has somebody else's key where a copy goes.
func (w *scriptWorld) addEdge(e *testscript.Env, now func() time.Time) error {
	w.edge = sandbox.NewKV(now)
	server := httptest.NewServer(w.edge)
	e.Defer(server.Close)
	e.Setenv("EDGE", server.URL)
	w.edge.Put("secret", "team/spare", map[string]any{"theirs": "kept"})
	w.grant("create", "read", "update")
	return os.WriteFile(filepath.Join(e.WorkDir, "edge-token"), []byte(edgeToken), 0o600)
}

func (w *scriptWorld) grant(capabilities ...string) {
	w.edge.AddToken(edgeToken, time.Hour, sandbox.KVGrant{Path: "secret/data/team/*", Capabilities: capabilities},
		sandbox.KVGrant{Path: "sys/internal/ui/mounts/*", Capabilities: []string{"read"}},
		sandbox.KVGrant{Path: "sys/capabilities-self", Capabilities: []string{"update"}},
		sandbox.KVGrant{Path: "auth/token/lookup-self", Capabilities: []string{"read"}},
		sandbox.KVGrant{Path: "auth/token/renew-self", Capabilities: []string{"update"}})
}

// edgeRights says what rotad's token may do with copies in the further Vault: edge create read update.
func edgeRights(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: edge capability...")
	}
	scripted(ts).grant(args...)
}

// kept compares a copy with what consumers of a client read: kept edge|own path key client field. The other keys of the copy are
// those that are listed after it, and no more.
func kept(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("usage: kept edge|own path key client field others...")
	}
	w := scripted(ts)
	in := map[string]*sandbox.KV{"edge": w.edge, "own": w.kv}[args[0]]
	data, _ := in.Current("secret", args[1])
	published, _ := w.kv.Current("secret", "apps/"+args[3])
	if value, ok := data[args[2]]; !ok || value != published[args[4]] {
		ts.Fatalf("%s has another value under %s than the client publishes", args[1], args[2])
	}
	var others []string
	for key := range data {
		if key != args[2] {
			others = append(others, key)
		}
	}
	slices.Sort(others)
	if !slices.Equal(others, args[5:]) {
		ts.Fatalf("%s has the keys %v beside %s", args[1], others, args[2])
	}
}
