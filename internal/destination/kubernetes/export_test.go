package kubernetes

import (
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// SetAccountDir puts what a pod's account needs elsewhere for a test.
func SetAccountDir(t *testing.T, dir string) {
	t.Helper()
	before := accountDir
	accountDir = dir
	t.Cleanup(func() { accountDir = before })
}

// ReadKubeconfig reads a kubeconfig that lies in a directory.
func ReadKubeconfig(text []byte, dir string) (server, token string, err error) {
	k, err := parse(text)
	if err != nil {
		return "", "", err
	}
	a, err := k.access("", dir)
	if err != nil {
		return "", "", err
	}
	return a.server.String(), a.token.Reveal(), nil
}

// ReadAnswer says whether an answer is a Secret, or says that there is none, and what is against changing it.
func ReadAnswer(text, namespace, name string) (found, absent bool, err error) {
	raw := credential.NewSensitive(text)
	var s secret
	var st status
	absent = httpapi.Unmarshal(raw, &st) == nil && st.missing(name)
	if err = httpapi.Unmarshal(raw, &s); err != nil || !s.is(namespace, name) {
		return false, absent, err
	}
	wanted{gone: []string{"x"}}.in(&s)
	return true, absent, s.changeable()
}
