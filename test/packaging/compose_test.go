package packaging_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/test/servers"
)

const deploy = "../../deploy"

// readCompose reads compose.yaml with the library that docker compose reads it with: an unknown key, a service or a
// volume that does not exist is an error.
func readCompose(t *testing.T) *types.Project {
	t.Helper()
	dir, err := filepath.Abs(deploy)
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: dir, ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml")}}, Environment: types.Mapping{},
	}, func(o *loader.Options) { o.SetProjectName("rotad", true) })
	if err != nil {
		t.Fatal(err)
	}
	return project
}

var exactTag = regexp.MustCompile(`:v?\d+\.\d+\.\d+$`)

// Images cannot be pulled here, so what is started together is only read, and every file of it tried where that is possible.
func TestComposeIsUnderstoodWhole(t *testing.T) {
	project := readCompose(t)
	for _, want := range []string{"rotad", "vault", "keycloak", "mail", "prometheus", "grafana"} {
		if _, ok := project.Services[want]; !ok {
			t.Errorf("there is no %s", want)
		}
	}
	for name, service := range project.Services {
		if service.Build == nil && !exactTag.MatchString(service.Image) {
			t.Errorf("%s: the image %s may be another one tomorrow", name, service.Image)
		}
		for _, mount := range service.Volumes {
			if _, err := os.Stat(mount.Source); mount.Type == types.VolumeTypeBind && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s can be reached from other machines", name, port.Published)
			}
		}
	}
}

func TestComposeRunsRotadWithoutRights(t *testing.T) {
	rotad := readCompose(t).Services["rotad"]
	if !rotad.ReadOnly || !slices.Equal(rotad.CapDrop, []string{"ALL"}) || !slices.Contains(rotad.SecurityOpt, "no-new-privileges:true") ||
		rotad.Privileged || rotad.User != "" {
		t.Errorf("rotad runs with more than it needs: %+v", rotad)
	}
	if grace := rotad.StopGracePeriod; grace == nil || *grace < types.Duration(91e9) {
		t.Errorf("it gets %v to stop, and may need 90s", grace)
	}
}

func TestComposeConfiguresRotad(t *testing.T) {
	run(t, exec.CommandContext(t.Context(), "go", "run", "-C", "../..", "./cmd/rotad", "check", "--syntax-only", "--config", "deploy/compose/rotad.yaml"))
}

func TestComposeConfiguresPrometheus(t *testing.T) {
	cache, err := servers.OpenCache()
	if err != nil {
		t.Fatal(err)
	}
	promtool, err := servers.InstallPrometheus(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	run(t, exec.CommandContext(t.Context(), promtool, "check", "config", deploy+"/compose/prometheus.yaml"))
}

// Three files name the clients and their first secrets: the realm, what is put into Vault, and the configuration.
func TestComposeNamesItsClientsAlike(t *testing.T) {
	var realm struct {
		Clients []struct{ ClientID, Secret string }
	}
	var config struct {
		Clients []struct {
			Ref struct {
				ClientID string `yaml:"client_id"`
			}
		}
	}
	if err := json.Unmarshal([]byte(contents(t, deploy+"/compose/realm.json")), &realm); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(contents(t, deploy+"/compose/rotad.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	var rotated, known []string
	for _, c := range config.Clients {
		rotated = append(rotated, c.Ref.ClientID)
	}
	for _, c := range realm.Clients {
		if c.Secret != c.ClientID+"-of-this-example" {
			t.Errorf("the secret of %s in the realm is not the one that the setup publishes", c.ClientID)
		}
		known = append(known, c.ClientID)
	}
	if !slices.Equal(known, append([]string{"rotad"}, rotated...)) {
		t.Errorf("the realm has %q, rotad rotates %q", known, rotated)
	}
	if setup := contents(t, deploy+"/compose/setup"); !strings.Contains(setup, "for client in "+strings.Join(rotated, " ")+"; do") {
		t.Errorf("the setup does not publish exactly %q", rotated)
	}
}
