package apiserver_test

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/apiserver"
)

// FuzzKubeconfig: no text makes it panic, leads to a server without TLS, or is repeated in an error.
func FuzzKubeconfig(f *testing.F) {
	for _, text := range []string{
		"current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://h:6443'}}]\nusers: [{name: u, user: {token: CANARY}}]\n",
		"users: [{name: u, user: {exec: {command: CANARY}}}]", "{\"contexts\": null}", "current-context: [CANARY]", "contexts: [{name: ''}]",
		"a: &a [*a]", "---\n---\n", "\xff", "current-context: a\ncontexts: [{name: a, context: {}}]\nclusters: [{cluster: {server: 'https://CANARY@h'}}]\nusers: [{user: {token: x}}]",
	} {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		server, token, err := apiserver.ReadKubeconfig([]byte(text), dir)
		switch {
		case err != nil && strings.Contains(err.Error(), "CANARY") && !strings.Contains(err.Error(), "no context"):
			t.Errorf("the error repeats the text: %v", err)
		case err == nil && (!strings.HasPrefix(server, "https://") || token == "" && !strings.Contains(text, "client-certificate")):
			t.Errorf("%q with a token: %t", server, token != "")
		}
	})
}
