package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
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

// A tenant of such a provider is walked and listed, and its clients are adopted to watch them.
func TestNoTenantOfWhatIsOnlyDocumentedIsAdoptedUnasked(t *testing.T) {
	d := discover(t, sandbox.TenantSettings{Size: 3})
	d.write("config.yaml", strings.Replace(d.read("config.yaml"), "allow_unproven: true, ", "", 1))
	const rule = "rules:\n  - match: {name: \"*\"}\n    owner: platform\n    policy: %s\n    rotate: true\n    vault: {path: \"watched/{id}\"}\n"
	d.write("rules.yaml", fmt.Sprintf(rule, "default"))
	_, errs := d.rotad(exitWrong, "discover", "corp", "--adopt", "DIR/rules.yaml")
	if !strings.Contains(errs, "rules.yaml:2: the kind entra was written from documentation") || !strings.Contains(errs, "in the block of corp write allow_unproven: true") {
		t.Errorf("it says %s", errs)
	}
	d.write("rules.yaml", fmt.Sprintf(rule, "watch"))
	if out, _ := d.rotad(exitDone, "discover", "corp", "--adopt", "DIR/rules.yaml"); !strings.Contains(out, `"policy":"watch"`) {
		t.Errorf("to watch: %s", out)
	}
}

// An import of many takes what is registered already, and names each of the others.
func TestAnImportTakesNoNewClientsUnasked(t *testing.T) {
	a, store := offlineTable(t)
	load := func(list ...string) admin.Registered {
		t.Helper()
		clients := func(yield func(credential.Client) bool) {
			for _, id := range list {
				if !yield(loadable(id)) {
					return
				}
			}
		}
		sum, err := a.load(t.Context(), store, admin.Command{Verb: admin.VerbRegister, Source: admin.SourceImport}, clients, func(admin.Registered) {})
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if sum := load("a", "b"); sum.New != 2 {
		t.Fatalf("%+v", sum)
	}
	cfg := a.config()
	cfg.Providers[slices.IndexFunc(cfg.Providers, func(p config.Provider) bool { return p.Name == "roles" })].Unproven = "the kind hearsay"
	sum := load("a", "new", "b", "newer")
	if sum.New != 0 || sum.Unchanged != 2 || len(sum.Rejected) != 2 || sum.Rejected[0].Index != 1 || sum.Rejected[1].Index != 3 {
		t.Errorf("%+v", sum)
	}
}
