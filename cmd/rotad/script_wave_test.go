package main

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/sandbox"
)

// spoiled stands before the roles of a script, and refuses creates while it is on.
type spoiled struct{ on atomic.Bool }

func (s *spoiled) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/secret-id") && s.on.Load() {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"errors":["not today"]}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// dueTogether are the roles whose SecretIDs expire soon.
var dueTogether = []string{"first", "second", "third"}

// addDue adds roles whose SecretIDs expire within days.
func (w *scriptWorld) addDue() error {
	for _, role := range dueTogether {
		id, err := w.roles.AddRole(sandbox.AppRoleRole{Name: role, SecretIDTTL: 10 * 24 * time.Hour})
		if err != nil {
			return err
		}
		secret, _, err := w.roles.Issue(role)
		if err != nil {
			return err
		}
		w.kv.Put("secret", "apps/"+role, map[string]any{"role_id": id, "secret_id": secret})
	}
	return nil
}

// refuse lets the provider of the roles reject creates; ! refuse ends it.
func refuse(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) > 0 {
		ts.Fatalf("usage: refuse")
	}
	scripted(ts).spoiled.on.Store(!neg)
}

// issued compares how many secrets rotad has made of the roles that are due together: issued 3.
func issued(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: issued N")
	}
	got := -len(dueTogether) // those that were there before
	for _, role := range dueTogether {
		got += scripted(ts).roles.Created(role)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%d secrets were made, want %s", got, args[0])
	}
}
