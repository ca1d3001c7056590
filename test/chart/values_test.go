package chart_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// What helm must refuse before anything reaches the cluster. says is a part of the message, so that one case does not pass
// because of the mistake of another.
func TestValuesThatAreRefused(t *testing.T) {
	for _, c := range []struct{ rule, values, says string }{
		{"an unknown value", "replicas: 2", "'replicas'"},
		{"a number of replicas in any place", "persistence: {replicaCount: 2}", "'replicaCount'"},
		{"no image", "image: {repository: ''}", "/image/repository"},
		{"an image with a digest that is none", "image: {digest: sha256:abc}", "/image/digest"},
		{"a setting that rotad does not know", "config: {vault: {url: x}}", "'url'"},
		{"a setting of the wrong type", "config: {runtime: {workers: many}}", "/config/runtime/workers"},
		{"a duration that is none", "config: {vault: {timeout: soon}}", "/config/vault/timeout"},
		{"a kind that does not exist", "config: {providers: {corp: {kind: keycloack}}}", "/config/providers/corp/kind"},
		{"a setting of another kind", "config: {providers: {corp: {tenant_id: x}}}", "'tenant_id'"},
		{"a secret in the configuration", "config: {smtp: {host: mx, from: a@example.com, password: s3cret}}", "'password'"},
		{"a secret from the environment", "config: {smtp: {host: mx, from: a@example.com, password_env: PASSWORD}}", "'password_env'"},
		{"a secret among the values", "credentials: {vault-token: hvs.CAESI}", "/credentials/vault-token"},
		{"a credential without a key", "credentials: {vault-token: {secret: rotad}}", "'key'"},
		{"a credential of two kinds", "credentials: {vault-jwt: {secret: rotad, key: jwt, audience: vault}}", "/credentials/vault-jwt"},
		{"a token for nobody", "credentials: {vault-jwt: {audience: ''}}", "/credentials/vault-jwt/audience"},
		{"a credential outside of its directory", "credentials: {../token: {secret: rotad, key: token}}", "'../token'"},
		{"where it listens is the chart's", "config: {listen: {metrics: ':1'}}", "'listen'"},
		{"where the state is is the chart's", "config: {state: {path: /tmp/x}}", "'path'"},
		{"how long a stop takes is said once", "config: {runtime: {shutdown: 10m}}", "'shutdown'"},
		{"included files are clientFiles", "config: {include: [x.yaml]}", "'include'"},
		{"a client of a file that has no id", "clientFiles: {team: [{provider: corp, owner: payments, vault: {path: x}}]}", "/clientFiles/team/0"},
		{"a stop without time", "shutdownSeconds: 0", "/shutdownSeconds"},
		{"a volume that many may mount", "persistence: {accessMode: ReadWriteMany}", "/persistence/accessMode"},
		{"a size without a unit", "persistence: {size: '2'}", "/persistence/size"},
		{"a policy peer that is none", "networkPolicy: {vaultTo: [{cidr: 192.0.2.0/24}]}", "'cidr'"},
		{"a policy peer that is everybody by mistake", "networkPolicy: {metricsFrom: [{}]}", "/networkPolicy/metricsFrom/0"},
		{"a listener for people that nobody knows of", "{public: {enabled: true}, credentials: {public-key: {secret: p, key: k}}}", "'public_url'"},
		{"a listener for people without a key", "{public: {enabled: true}, config: {public_url: 'https://rotad.example.com'}}", "'public-key'"},
		{"a way to a listener that is off", "public: {ingress: {enabled: true}}", "/public/enabled"},
		{"a proxy that is no network", "public: {trustedProxies: [nginx]}", "/public/trustedProxies/0"},
		{"a limit that is no amount", "resources: {limits: {memory: lots}}", "/resources/limits/memory"},
		{"a token that is neither wanted nor not", "serviceAccount: {token: mounted}", "/serviceAccount/token"},
		{"a label that is no text", "podLabels: {team: 7}", "/podLabels/team"},
	} {
		file := write(t, filepath.Join(t.TempDir(), "values.yaml"), c.values)
		_, err := helm(t, append([]string{"template", release, chartDir}, chosen(minimal, file)...)...)
		if err == nil {
			t.Errorf("%s: it is accepted", c.rule)
		} else if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the message does not say %s:\n%v", c.rule, c.says, err)
		}
	}
}

// Without values nothing is installed that could not run, and the message names what is missing.
func TestDefaultsAloneAreRefused(t *testing.T) {
	_, err := helm(t, "template", release, chartDir)
	if err == nil || !strings.Contains(err.Error(), "/image/repository") || !strings.Contains(err.Error(), "'vault'") {
		t.Errorf("want a refusal that names image.repository and config.vault, got %v", err)
	}
}
