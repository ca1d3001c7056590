package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// ownRole is the role that rotad itself logs in with.
const ownRole = "rotad"

// addOwn makes one Vault of the store and the AppRole method, in which rotad's own role opens both.
func (w *scriptWorld) addOwn(e *testscript.Env) error {
	const first = "the-first-secret-id-of-rotad-itself"
	id, err := w.roles.AddAdmin(ownRole, first)
	if err != nil {
		return err
	}
	whole := httptest.NewServer(wholeVault(w.kv, w.roles.Handler()))
	e.Defer(whole.Close)
	w.kv.Put("secret", "apps/"+ownRole, map[string]any{"role_id": id, "secret_id": first})
	e.Setenv("VAULT", whole.URL)
	e.Setenv("ROLE_ID", id)
	return os.WriteFile(e.WorkDir+"/own", []byte(first), 0o600)
}

// wholeVault answers for a store and for the logins to it.
func wholeVault(kv *sandbox.KV, roles http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/v1/auth/") {
			r.Method = http.MethodPost // Vault takes them for the same
		}
		switch {
		case r.URL.Path == "/v1/auth/approle/login":
			answer := httptest.NewRecorder()
			roles.ServeHTTP(answer, r)
			var got struct {
				Auth struct {
					Token string `json:"client_token"`
				} `json:"auth"`
			}
			if json.Unmarshal(answer.Body.Bytes(), &got) == nil && got.Auth.Token != "" {
				kv.AddToken(got.Auth.Token, time.Hour, demoGrants()...)
			}
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
			_, _ = bytes.NewReader(answer.Body.Bytes()).WriteTo(w)
		case strings.HasPrefix(r.URL.Path, "/v1/auth/approle/"):
			roles.ServeHTTP(w, r)
		default:
			kv.ServeHTTP(w, r)
		}
	})
}

// admitted says whether the SecretID in a file opens rotad's own role: admitted own; ! admitted before.
func admitted(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: admitted file")
	}
	held := credential.NewSensitive(strings.TrimSpace(ts.ReadFile(args[0])))
	if scripted(ts).roles.Accepts(ownRole, held) == neg {
		ts.Fatalf("%s: %s", args[0], fmt.Sprintf("admitted: %t", !neg))
	}
}
