package main

import (
	"context"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/jwks"
)

// addKeys gives a script a server that checks signatures. It fetches the public keys of the client bff from where the daemon of the
// script publishes them.
func (w *scriptWorld) addKeys(e *testscript.Env) error {
	keys := sandbox.NewKeys(time.Now, sandbox.KeySettings{MinFetch: 50 * time.Millisecond})
	server := httptest.NewServer(keys.Handler())
	e.Defer(server.Close)
	published, err := freeAddress()
	if err != nil {
		return err
	}
	keys.Register("bff", "http://"+published+"/keys/bff.json")
	e.Setenv("KEYS", server.URL)
	e.Setenv("PUBLISH", published)
	return nil
}

// signs logs in with the key of a version in Vault, and compares the answer: signs accepted 2.
func signs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signs accepted|refused version")
	}
	version, err := strconv.Atoi(args[1])
	ts.Check(err)
	p, err := jwks.Kind().Open(providers.Opening{Name: "keys", Settings: &jwks.Settings{TokenURL: ts.Getenv("KEYS") + "/oauth2/token", Directory: "/"}})
	ts.Check(err)
	answer, err := p.Verify(context.Background(), providers.Target{Ref: credential.Ref{"client_id": "bff"}}, scripted(ts).bundle(ts, version))
	if answer.String() != args[0] {
		ts.Fatalf("the server says %s, %v", answer, err)
	}
}

// bundle returns what was written as a version of the client bff.
func (w *scriptWorld) bundle(ts *testscript.TestScript, version int) credential.Bundle {
	for _, write := range w.kv.Writes() {
		if write.Path != "apps/bff" || write.Version != version || write.Data == nil {
			continue
		}
		text := func(name string) credential.Sensitive {
			value, _ := write.Data[name].(string)
			return credential.NewSensitive(value)
		}
		return credential.Bundle{
			credential.FieldClientID: text("client_id"), credential.FieldKeyID: text("key_id"),
			credential.FieldAlgorithm: text("algorithm"), credential.FieldPrivateKey: text("PRIVATE_KEY"),
		}
	}
	ts.Fatalf("version %d was not written", version)
	return nil
}
