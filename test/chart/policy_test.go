package chart_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// ports are those of all rules, as "tcp/8200".
func ports(rules []object) []string {
	var all []string
	for _, rule := range rules {
		for _, p := range rule.list("ports") {
			all = append(all, strings.ToLower(fmt.Sprintf("%s/%v", p.text("protocol"), p.at("port"))))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// The policy follows the configuration: whoever moves Vault to another port need not think of it.
func TestThePolicyLetsOutWhatIsConfigured(t *testing.T) {
	for _, c := range []struct {
		rule   string
		values []string
		want   string
	}{
		{"minimal: DNS, Vault, one provider", []string{minimal}, "tcp/443 tcp/53 tcp/8200 udp/53"},
		{"the port of an address without one is its scheme's", []string{minimal, "config.vault.address=https://vault.example.com/"}, "tcp/443 tcp/53 udp/53"},
		{"an address of IPv6", []string{minimal, "config.vault.address=https://[2001:db8::1]:8201"}, "tcp/443 tcp/53 tcp/8201 udp/53"},
		{"everything", []string{full}, "tcp/443 tcp/465 tcp/5353 tcp/80 tcp/8080 tcp/8200 tcp/8443 tcp/9443 udp/5353"},
		{
			"mail with STARTTLS",
			[]string{minimal, "config.smtp.host=mx.example.com", "config.smtp.from=rotad@example.com"},
			"tcp/443 tcp/53 tcp/587 tcp/8200 udp/53",
		},
		{
			"a webhook and Slack, which is https",
			[]string{
				minimal, "config.channels.ops.kind=webhook", "config.channels.ops.url=https://events.example.com:8444/rotad", "config.channels.ops.secret_file=/run/ops/key",
				"config.channels.chat.kind=slack", "config.channels.chat.url_file=/run/chat/url", "config.providers.corp.url=https://sso.example.com:9443",
			},
			"tcp/443 tcp/53 tcp/8200 tcp/8444 tcp/9443 udp/53",
		},
		{
			"a further Vault",
			[]string{minimal, "config.vaults.edge.address=https://edge.example.com:8201", "config.vaults.edge.auth.method=token", "config.vaults.edge.auth.token_file=/run/edge/token"},
			"tcp/443 tcp/53 tcp/8200 tcp/8201 udp/53",
		},
	} {
		policy := find(t, objects(t, render(t, c.values...)), "NetworkPolicy", "")
		if got := strings.Join(ports(policy.list("spec", "egress")), " "); got != c.want {
			t.Errorf("%s: it lets out %s, want %s", c.rule, got, c.want)
		}
		want := "tcp/metrics"
		if c.values[0] == full { // which has the listener for people
			want = "tcp/metrics tcp/public"
		}
		if got := strings.Join(ports(policy.list("spec", "ingress")), " "); got != want {
			t.Errorf("%s: it lets in %s, want %s", c.rule, got, want)
		}
	}
}

// The selector finds the daemon, and not the pods of the hooks.
func TestThePolicyIsAboutTheDaemon(t *testing.T) {
	all := objects(t, render(t, minimal))
	selector, _ := asObject(find(t, all, "NetworkPolicy", "").at("spec", "podSelector", "matchLabels"))
	matches := func(path ...any) bool {
		labels, _ := asObject(path[0].(object).at(path[1:]...))
		for key, value := range selector {
			if labels[key] != value {
				return false
			}
		}
		return len(selector) > 0
	}
	if !matches(find(t, all, "Deployment", ""), "spec", "template", "metadata", "labels") {
		t.Error("it does not find the daemon")
	}
	if matches(find(t, all, "Job", "-check"), "spec", "template", "metadata", "labels") || matches(find(t, all, "Pod", "-test"), "metadata", "labels") {
		t.Error("it closes in the pod of a hook")
	}
}
