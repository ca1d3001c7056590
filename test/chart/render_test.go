package chart_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLint(t *testing.T) {
	for _, values := range []string{minimal, full} {
		_, err := helm(t, append([]string{"lint", "--strict", chartDir}, chosen(values)...)...)
		if err != nil {
			t.Error(err)
		}
	}
}

// What is sent to a cluster, as files that a reviewer reads. -update writes them.
func TestGolden(t *testing.T) {
	for name, values := range map[string][]string{
		"minimal": {minimal},
		"full":    {full, "dashboards.enabled=false"}, // which are compared with their source below
		"own": {
			minimal, "persistence.existingClaim=mine", "networkPolicy.enabled=false", "checkBefore=false", "image.tag=1.2.3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", name+".golden.yaml")
			got := render(t, values...)
			if *update {
				write(t, golden, got)
			}
			want, err := os.ReadFile(golden)
			must(t, err)
			if got != string(want) {
				t.Errorf("%s is not what is rendered: go test ./chart -run TestGolden -update, then read the difference\n%s",
					golden, firstDifference(got, string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	lines := strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(lines) || line != lines[i] {
			return "rendered: " + line + "\ngolden:   " + strings.Join(lines[min(i, len(lines)):min(i+1, len(lines))], "")
		}
	}
	return "the golden file is longer"
}

func TestDashboardsAreTheGeneratedOnes(t *testing.T) {
	all := objects(t, render(t, full))
	files, err := filepath.Glob("../../deploy/grafana/provisioning/dashboards/*.json")
	must(t, err)
	if len(files) != 3 {
		t.Fatalf("%d dashboards, want 3", len(files))
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		must(t, err)
		name := strings.TrimPrefix(strings.TrimSuffix(filepath.Base(file), ".json"), "rotad")
		o := find(t, all, "ConfigMap", name)
		if got := o.text("data", filepath.Base(file)); !bytes.Equal([]byte(got), want) {
			t.Errorf("the ConfigMap of %s holds something else", file)
		}
		if o.text("metadata", "labels", "grafana_dashboard") != "1" || o.text("metadata", "annotations", "grafana_folder") != "rotad" {
			t.Errorf("%s: labels or annotations are missing: %v", file, o["metadata"])
		}
	}
}

// An alert that tells somebody at night to type what does not exist in a pod costs the night.
func TestAlertsTellWhatIsTypedInACluster(t *testing.T) {
	rule := find(t, objects(t, render(t, full)), "PrometheusRule", "rotation")
	alerts, typed := 0, 0
	for _, group := range rule.list("spec", "groups") {
		for _, alert := range group.list("rules") {
			alerts++
			text := alert.text("annotations", "description")
			typed += strings.Count(text, "kubectl -n security exec deploy/rotation -- /rotad ")
			if strings.Contains(text, "sudo") || strings.Contains(text, "Run: rotad") || strings.Contains(text, "then rotad") {
				t.Errorf("%s: %s", alert.text("alert"), text)
			}
		}
	}
	if alerts < 15 || typed < 10 {
		t.Errorf("%d alerts with %d commands, want all of them", alerts, typed)
	}
}

// Whatever is configured: one at a time, no right, nothing to write to but the state and the socket. A token is mounted into the
// daemon's pod where a value says so, and into no other.
func TestThePodHasNoRights(t *testing.T) {
	for _, values := range []string{minimal, full} {
		all := objects(t, render(t, values))
		for _, o := range all {
			if kind := o.text("kind"); strings.Contains(kind, "Role") || kind == "Secret" {
				t.Errorf("%s: there is a %s", values, kind)
			}
		}
		deployment := find(t, all, "Deployment", "")
		if deployment.at("spec", "replicas") != 1 || deployment.text("spec", "strategy", "type") != "Recreate" {
			t.Errorf("%s: two pods could run at once: %v, %v", values, deployment.at("spec", "replicas"), deployment.at("spec", "strategy"))
		}
		pods := []object{deployment, find(t, all, "Pod", "-test")}
		if values == minimal {
			pods = append(pods, find(t, all, "Job", "-check"))
		}
		for _, o := range pods {
			spec := podSpec(o)
			token := values == full && o["kind"] == "Deployment"
			if spec.at("automountServiceAccountToken") != token || spec.at("enableServiceLinks") != false {
				t.Errorf("%s %s: whether it gets a token is %v, want %t; or it gets service links", values, o.text("kind"),
					spec.at("automountServiceAccountToken"), token)
			}
			if spec.at("securityContext", "runAsUser") != 65532 || spec.at("containers", 0, "securityContext", "readOnlyRootFilesystem") != true {
				t.Errorf("%s %s: user %v, container %v", values, o.text("kind"), spec.at("securityContext"), spec.at("containers", 0, "securityContext"))
			}
		}
	}
}

// podSpec is the pod of a Deployment, a Job or a Pod.
func podSpec(o object) object {
	if o["kind"] != "Pod" {
		o, _ = asObject(o.at("spec", "template"))
	}
	spec, _ := asObject(o.at("spec"))
	return spec
}

// Kubernetes waits longer than rotad, whoever changes the one.
func TestKubernetesWaitsLongerThanAStop(t *testing.T) {
	all := objects(t, render(t, minimal, "shutdownSeconds=200"))
	if got := podSpec(find(t, all, "Deployment", "")).at("terminationGracePeriodSeconds"); got != 230 {
		t.Errorf("terminationGracePeriodSeconds is %v, want 230", got)
	}
	if config := find(t, all, "ConfigMap", "rotad").text("data", "config.yaml"); !strings.Contains(config, "shutdown: 200s") {
		t.Errorf("the configuration does not say shutdown: 200s:\n%s", config)
	}
}

// A changed configuration is a changed pod, and nothing else is.
func TestAConfigurationThatChangesRestartsThePod(t *testing.T) {
	sum := func(values ...string) string {
		all := objects(t, render(t, values...))
		return find(t, all, "Deployment", "").text("spec", "template", "metadata", "annotations", "checksum/config")
	}
	for _, values := range []string{minimal, full} {
		before := sum(values)
		if before == "" || before == sum(values, "config.log.level=debug") {
			t.Errorf("%s: another configuration has the same checksum", values)
		}
		if before != sum(values, "serviceMonitor.interval=5s") {
			t.Errorf("%s: what is no configuration changes the checksum", values)
		}
	}
	if sum(full) == sum(full, "clientFiles.people[0].id=x", "clientFiles.people[0].provider=portal", "clientFiles.people[0].owner=people",
		"clientFiles.people[0].vault.path=apps/x") {
		t.Error("another client in a file has the same checksum")
	}
}
