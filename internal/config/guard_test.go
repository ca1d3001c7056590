package config

import "testing"

// Files there are guarded by whoever mounts them; tests cannot make files in these places.
func TestContainerSecretsAreGuarded(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	d := newDecoder()
	for file, want := range map[string]bool{
		"/run/secrets/token": true, "/run/secrets/a/b": true, "/var/run/secrets/kubernetes.io/serviceaccount/token": true,
		"/run/secrets-of-others/token": false, "/run/secrets/../token": false, "/etc/rotad/token": false,
	} {
		if got := d.guarded(file); got != want {
			t.Errorf("%s: got %v, want %v", file, got, want)
		}
	}
}
