package scenarios_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/rotad/rotad/test/world"
)

// shared is what all scenarios use; TestMain alone writes it.
var shared *world.Run

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

// beside is how many scenarios run beside each other unless -parallel says otherwise. They wait for overlaps and
// deadlines most of the time, so there may be more of them than processors.
const beside = "6"

func runAll(m *testing.M) int {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	var err error
	if !given {
		err = flag.Set("test.parallel", beside)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	shared, err = world.NewRun()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer shared.Close()
	return m.Run()
}

// TestScenario runs every scenario by its name. They wait much more than they work, so they run beside each other.
func TestScenario(t *testing.T) {
	scenarios := []struct {
		name string
		play func(*world.World)
	}{
		{"restart", restart}, // the longest goes first
		{"keycloak-grace", keycloakGrace},
		{"keycloak-cutover", keycloakCutover},
		{"approle", appRole},
		{"manual", manual},
		{"registration", registration},
		{"first-sight", firstSight},
		{"vault-down", vaultDown},
		{"vault-sealed", vaultSealed},
		{"vault-foreign-write", vaultForeignWrite},
		{"smtp-down", smtpDown},
		{"provider-down", providerDown},
		{"sigterm", sigterm},
		{"state-lost", stateLost},
		{"state-rolled-back", stateRolledBack},
		{"own", own},
		{"removed", removed},
		{"reload", reload},
		{"prometheus", prometheus},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.play(world.New(t, shared, s.name))
		})
	}
}
