package apiserver

import "testing"

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
