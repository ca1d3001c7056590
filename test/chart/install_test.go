package chart_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Every object of both sets of values, hooks and test included, is one that the API server takes without a field too much.
func TestEveryObjectIsTaken(t *testing.T) {
	c := newCluster(t, "security")
	c.define()
	for _, values := range []string{minimal, full} {
		all := objects(t, render(t, values, "checkBefore=true"))
		c.create(find(t, all, "ServiceAccount", ""))
		for _, o := range all {
			if o["kind"] == "ServiceAccount" {
				continue
			}
			if err := c.strictly(o); err != nil {
				t.Errorf("%s: %s %s: %v", values, o.text("kind"), o.text("metadata", "name"), err)
			}
		}
	}
	t.Run("and a field too much is refused", func(t *testing.T) {
		o := find(t, objects(t, render(t, minimal)), "Deployment", "")
		spec, _ := asObject(o["spec"])
		spec["replica"] = 1
		if err := c.strictly(o); err == nil || !strings.Contains(err.Error(), `strict decoding error: unknown field \"spec.replica\"`) {
			t.Errorf("want a refusal of spec.replica, got %v", err)
		}
	})
}

// The namespace enforces the strictest of the Pod Security Standards, which only pods are judged by.
func TestPodsAreLetInWhereOnlyRestrictedOnesAre(t *testing.T) {
	c := newCluster(t, "restricted")
	all := objects(t, render(t, minimal))
	for _, o := range []object{find(t, all, "Deployment", ""), find(t, all, "Job", "-check"), find(t, all, "Pod", "-test")} {
		spec := maps.Clone(podSpec(o))
		delete(spec, "serviceAccountName")
		one := object{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "one"}, "spec": spec}
		if err := c.strictly(one); err != nil {
			t.Errorf("the pod of the %s: %v", o.text("kind"), err)
		}
		delete(spec, "securityContext")
		if err := c.strictly(one); status(err) != http.StatusForbidden || !strings.Contains(err.Error(), "seccompProfile") {
			t.Errorf("the pod of the %s without its securityContext: want a refusal, got %v", o.text("kind"), err)
		}
	}
}

// One life of a release, from the first install to one after an uninstall: the state is always the same volume, and a
// wrong configuration never reaches the daemon that runs.
func TestLifeOfARelease(t *testing.T) {
	c := newCluster(t, "life")
	c.secret("rotad-vault", map[string]any{"secret-id": "an id"})
	ready := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer ready.Close()
	said := &strings.Builder{}
	h := hooks{cluster: c, health: strings.TrimPrefix(ready.URL, "http://"), said: said}
	install := func(command string, values ...string) error {
		said.Reset()
		return c.helm(h.play, command, append([]string{chartDir, "--timeout", "3m"}, chosen(append([]string{minimal}, values...)...)...)...)
	}

	if err := install("install"); err == nil || !strings.Contains(said.String(), "Secret rotad-keycloak has no key client-secret") {
		t.Fatalf("install without the Secret of the provider: want a refusal, got %v\n%s", err, said)
	}
	if _, ok := c.get("Deployment", release); ok {
		t.Fatal("a refused install has made the Deployment")
	}
	must(t, c.helm(h.play, "uninstall"))

	c.secret("rotad-keycloak", map[string]any{"client-secret": "a secret"})
	must(t, install("install"))
	first := c.seen()
	for _, want := range []string{
		"rotad 0.1.0 watches 1 clients of config.clients.", "kubectl -n life exec deploy/rotad -- /rotad status ",
		"WARNING: config.smtp is missing", "WARNING: prometheusRule.enabled is false", "in the claim rotad-state",
	} {
		if !strings.Contains(*c.printed, want) {
			t.Errorf("the notes do not say %q:\n%s", want, *c.printed)
		}
	}
	if _, left := c.get("Job", release+"-check"); left {
		t.Error("the Job of the check is left behind although it passed")
	}

	must(t, install("upgrade", "config.log.level=debug"))
	second := c.seen()
	if second.claim != first.claim || second.generation == first.generation || !strings.Contains(second.config, "debug") {
		t.Errorf("after an upgrade: %v, before: %v; want the same claim and another pod", second, first)
	}

	err := install("upgrade", "config.clients[0].id=one", "config.clients[0].provider=corp", "config.clients[0].owner=nobody",
		"config.clients[0].vault.path=apps/x", "config.clients[0].ref.client_id=x")
	if err == nil || !strings.Contains(said.String(), `there is no owner "nobody"`) {
		t.Errorf("upgrade to a wrong configuration: want a refusal that names the owner, got %v\n%s", err, said)
	}
	if now := c.seen(); now != second {
		t.Errorf("a refused upgrade has changed what runs: %v, before: %v", now, second)
	}

	must(t, c.helm(h.play, "rollback", "1"))
	if now := c.seen(); now.claim != first.claim || now.config != first.config {
		t.Errorf("after a rollback: %v, want the claim and the configuration of the first install: %v", now, first)
	}
	said.Reset()
	if err := c.helm(h.play, "test"); err != nil || !strings.Contains(said.String(), "ok") {
		t.Errorf("helm test: %v\n%s", err, said)
	}
	h.health = "127.0.0.1:1"
	if err := c.helm(h.play, "test"); err == nil {
		t.Error("helm test passes although nobody answers")
	}

	must(t, c.helm(h.play, "uninstall"))
	if _, ok := c.get("Deployment", release); ok {
		t.Error("uninstall leaves the Deployment")
	}
	if now := c.claim(); now != first.claim {
		t.Errorf("uninstall takes the state with it: the claim is %q, it was %q", now, first.claim)
	}
	must(t, install("install"))
	if now := c.seen(); now.claim != first.claim {
		t.Errorf("a new install makes another claim: %s, it was %s", now.claim, first.claim)
	}
}

// seen is what matters about an installed release.
type seen struct {
	claim, config, checksum, generation string
}

func (c cluster) seen() seen {
	c.t.Helper()
	deployment := c.mustGet("Deployment", release)
	return seen{
		claim:      c.claim(),
		config:     c.mustGet("ConfigMap", release).text("data", "config.yaml"),
		checksum:   deployment.text("spec", "template", "metadata", "annotations", "checksum/config"),
		generation: fmt.Sprint(deployment.at("metadata", "generation")),
	}
}

// claim tells one volume claim from another, and one that stays from one that is on its way out: a controller, which is not
// there, would take it away.
func (c cluster) claim() string {
	c.t.Helper()
	claim := c.mustGet("PersistentVolumeClaim", release+"-state")
	return claim.text("metadata", "uid") + claim.text("metadata", "deletionTimestamp")
}
