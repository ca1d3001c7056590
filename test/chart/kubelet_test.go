package chart_test

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/test/servers"
)

// data returns what a ConfigMap or a Secret holds; nil where there is none of that name.
type data func(kind, name string) map[string]string

// pod is a pod as the kubelet gets it, laid out below a directory that stands for its root.
type pod struct {
	spec object
	root string
}

// layOut puts the files of a pod's projected volumes where its container sees them. An error is what would keep the pod
// from starting.
func layOut(t testing.TB, spec object, from data) (pod, error) {
	t.Helper()
	p := pod{spec: spec, root: t.TempDir()}
	for _, mount := range spec.list("containers", 0, "volumeMounts") {
		for _, volume := range spec.list("volumes") {
			if volume["name"] != mount["name"] {
				continue
			}
			for _, source := range volume.list("projected", "sources") {
				if err := p.project(t, mount.text("mountPath"), source, from); err != nil {
					return p, err
				}
			}
		}
	}
	return p, nil
}

func (p pod) project(t testing.TB, mountPath string, source object, from data) error {
	t.Helper()
	if token := source.text("serviceAccountToken", "path"); token != "" {
		write(t, filepath.Join(p.root, mountPath, token), "header.of-the-account.for-"+source.text("serviceAccountToken", "audience"))
	}
	for kind, name := range map[string]string{"ConfigMap": source.text("configMap", "name"), "Secret": source.text("secret", "name")} {
		if name == "" {
			continue
		}
		has := from(kind, name)
		for _, item := range source.list(strings.ToLower(kind[:1])+kind[1:], "items") {
			text, ok := has[item.text("key")]
			if !ok {
				return fmt.Errorf("MountVolume.SetUp failed: %s %s has no key %s", kind, name, item.text("key"))
			}
			write(t, filepath.Join(p.root, mountPath, item.text("path")), text)
		}
	}
	return nil
}

// run runs the command of the pod's container. told changes its arguments, where they name what is not here.
func (p pod) run(t testing.TB, told func(argument string) string) (code int, said string) {
	t.Helper()
	var args []string
	list, _ := p.spec.at("containers", 0, "args").([]any)
	for _, argument := range list {
		args = append(args, told(fmt.Sprint(argument)))
	}
	cmd := exec.CommandContext(t.Context(), shared.Binary(t), args...)
	cmd.Env = servers.BareEnv()
	for _, variable := range p.spec.list("containers", 0, "env") {
		value := variable.text("value")
		if strings.HasPrefix(value, "/") {
			value = filepath.Join(p.root, value)
		}
		cmd.Env = append(cmd.Env, variable.text("name")+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		return ended.ExitCode(), string(out)
	}
	must(t, err)
	return 0, string(out)
}

func asIs(argument string) string { return argument }

// rendered are the ConfigMaps that helm renders, and beside them every Secret and ConfigMap that a person has made: those
// have whatever key is asked for.
func rendered(all []object) data {
	return func(kind, name string) map[string]string {
		for _, o := range all {
			if o["kind"] == kind && o.text("metadata", "name") == name {
				return texts(o)
			}
		}
		return map[string]string{
			"secret-id": "s", "client-secret": "s", "token": "s", "password": "s", "entra": "s", "keycloak": "s", "ca.crt": "a",
			"key": strings.Repeat("k", 32),
		}
	}
}

func texts(o object) map[string]string {
	held, _ := asObject(o.at("data"))
	all := map[string]string{}
	for key := range held {
		all[key] = held.text(key)
	}
	return all
}

// The configuration that reaches a pod is one that rotad takes, with every file in its place.
func TestRenderedConfigurationPassesTheCheck(t *testing.T) {
	for values, want := range map[string]string{minimal: "1 client in the configuration, 1 provider", full: "3 clients in the configuration, 3 providers"} {
		all := objects(t, render(t, values, "checkBefore=true"))
		for _, o := range []object{find(t, all, "Job", "-check"), find(t, all, "Deployment", "")} {
			p, err := layOut(t, podSpec(o), rendered(all))
			must(t, err)
			// What the daemon would be started with is checked instead.
			code, said := p.run(t, strings.NewReplacer("run", "check", "--allow-removals", "--strict=false").Replace)
			if code != 0 || !strings.Contains(said, want) {
				t.Errorf("%s, %s: exit code %d, want 0 with %s:\n%s", values, o.text("kind"), code, want, said)
			}
		}
	}
}

// A file that the configuration names and that no credential brings is found before the old pod is stopped.
func TestCheckFindsACredentialThatIsMissing(t *testing.T) {
	all := objects(t, render(t, minimal, "config.providers.corp.client_secret_file=elsewhere"))
	p, err := layOut(t, podSpec(find(t, all, "Job", "-check")), rendered(all))
	must(t, err)
	if code, said := p.run(t, asIs); code != 2 || !strings.Contains(said, "providers.corp.client_secret_file") {
		t.Errorf("exit code %d, want 2 with the setting:\n%s", code, said)
	}
}
