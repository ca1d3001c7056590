package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

func TestWhatIsOnlyDocumentedTakesNoNewClientUnasked(t *testing.T) {
	for name, test := range map[string]struct {
		unproven, policy string
		known, rejected  bool
	}{
		"new":                               {unproven: "the kind hearsay", policy: "default", rejected: true},
		"new, only to watch":                {unproven: "the kind hearsay", policy: "watch"},
		"registered already":                {unproven: "the kind hearsay", policy: "default", known: true},
		"proved, or allowed":                {policy: "default"},
		"proved, or allowed, only to watch": {policy: "watch"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTable(t)
			cfg := s.config()
			at := slices.IndexFunc(cfg.Providers, func(p config.Provider) bool { return p.Name == "roles" })
			cfg.Providers[at].Unproven = test.unproven
			watch := cfg.Policies["default"]
			watch.Name, watch.Start = "watch", credential.StartObserve
			cfg.Policies["watch"] = watch
			if test.known {
				s.client(t, "worker", credential.ModeTwoSlot)
			}
			for _, dry := range []bool{true, false} {
				reply, err := s.ask(t, admin.Command{Verb: admin.VerbRegister, DryRun: dry, Source: admin.SourceImport, Clients: []credential.Client{{
					ID: "worker", Provider: "roles", Ref: credential.Ref{"role": "worker"}, Owner: "payments", Policy: test.policy,
					Vault: credential.VaultPath{Path: "apps/worker"},
				}}})
				if err != nil {
					t.Fatal(err)
				}
				rejected := reply.Registered.Rejected
				if (len(rejected) == 1) != test.rejected {
					t.Fatalf("dry %t: rejected %+v", dry, rejected)
				}
				if test.rejected && (rejected[0].Path != "provider" || !strings.Contains(rejected[0].What, "the kind hearsay was written from documentation") ||
					!strings.Contains(rejected[0].Hint, "in the block of roles write allow_unproven: true") || !strings.Contains(rejected[0].Hint, "start: observe")) {
					t.Errorf("%+v", rejected[0])
				}
			}
			_, registered, err := s.store.Get(t.Context(), "worker")
			if err != nil || registered == test.rejected {
				t.Errorf("registered: %t, error %v", registered, err)
			}
		})
	}
}
