package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/credential"
)

// addHealth serves the health of a consumer at $HEALTH: it is well while the file "well" is there.
func addHealth(e *testscript.Env) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := os.Stat(filepath.Join(e.WorkDir, "well")); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	e.Defer(server.Close)
	e.Setenv("HEALTH", server.URL)
}

// opens says whether the SecretID of an env file logs in: opens spare before.env, ! opens spare before.env.
func opens(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: opens role file")
	}
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "SECRET_ID="); ok {
			secret := credential.NewSensitive(strings.Trim(value, `"'`))
			if scripted(ts).roles.Accepts(args[0], secret) == neg {
				ts.Fatalf("accepted: %t", !neg)
			}
			return
		}
	}
	ts.Fatalf("%s holds no SecretID", args[1])
}
