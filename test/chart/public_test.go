package chart_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// people are the values of a listener for people, and nothing else beside the least.
func people(more ...string) []string {
	return append([]string{
		minimal, "public.enabled=true", "config.public_url=https://secrets.example.com:8443/rotad/",
		"credentials.public-key.secret=rotad-public", "credentials.public-key.key=key",
	}, more...)
}

// Pod, Service, Ingress and policy lead to one listener, and the configuration opens it. Without the value there is none of it.
func TestPeopleReachTheirListenerAndNothingElse(t *testing.T) {
	all := objects(t, render(t, people("public.ingress.enabled=true", "public.trustedProxies[0]=10.0.0.0/8")...))
	for _, want := range []string{"address: :9850", "key_file: ${CREDENTIALS_DIRECTORY}/public-key", "trusted_proxies:\n    - 10.0.0.0/8"} {
		if config := find(t, all, "ConfigMap", "rotad").text("data", "config.yaml"); !strings.Contains(config, want) {
			t.Errorf("the configuration lacks %q:\n%s", want, config)
		}
	}
	pod := podSpec(find(t, all, "Deployment", ""))
	if got := pod.list("containers")[0].list("ports"); len(got) != 2 || got[1].text("name") != "public" || got[1].at("containerPort") != 9850 {
		t.Errorf("the pod has the ports %v", got)
	}
	if got := find(t, all, "Service", "").list("spec", "ports"); len(got) != 2 || got[1].text("targetPort") != "public" {
		t.Errorf("the Service has the ports %v", got)
	}
	ingress := find(t, all, "Ingress", "")
	rule := ingress.list("spec", "rules")[0]
	var paths []string
	for _, p := range rule.list("http", "paths") {
		paths = append(paths, fmt.Sprint(p.text("path"), " ", p.at("backend", "service", "port", "name")))
	}
	if rule.text("host") != "secrets.example.com" || !slices.Equal(paths, []string{"/rotad/answer public", "/rotad/calendar public"}) {
		t.Errorf("the Ingress leads %s %v", rule.text("host"), paths)
	}
	if tls := ingress.list("spec", "tls"); len(tls) != 1 || tls[0].at("hosts", 0) != "secrets.example.com" || tls[0].at("secretName") != nil {
		t.Errorf("the Ingress has the certificates %v", tls)
	}
	if text := render(t, minimal); strings.Contains(text, "public") || strings.Contains(text, "9850") || strings.Contains(text, "Ingress\n") {
		t.Error("the listener is there although nobody wanted it")
	}
}

// Only a proxy that is named comes through.
func TestThePolicyKnowsTheProxyOfTheListenerForPeople(t *testing.T) {
	for _, c := range []struct {
		rule   string
		values []string
		want   string
	}{
		{"every pod", people(), "map[namespaceSelector:map[]]"},
		{"the proxy", []string{full}, "ingress-nginx"},
	} {
		rules := find(t, objects(t, render(t, c.values...)), "NetworkPolicy", "").list("spec", "ingress")
		if from := fmt.Sprint(rules[1].list("from")); len(rules) != 2 || !strings.Contains(from, c.want) || len(rules[1].list("from")) != 1 {
			t.Errorf("%s: who comes in is %s", c.rule, from)
		}
	}
}
