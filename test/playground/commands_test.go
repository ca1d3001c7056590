package main

import (
	"testing"

	"github.com/rotad/rotad/test/servers"
)

func TestAVersionThatNeverWasIsNotGone(t *testing.T) {
	for _, c := range []struct {
		version int
		want    string
	}{
		{1, "version 1 of secret/apps/billing is gone\n"},
		{2, "version 2 of secret/apps/billing is gone\n"},
		{3, "there is no version 3 of secret/apps/billing; the newest is 2"},
		{-1, "there is no version -1 of secret/apps/billing; the newest is 2"},
	} {
		got, err := absent("apps/billing", c.version, 2)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestAShellLearnsEveryAddress(t *testing.T) {
	p := &playground{
		metrics: "127.0.0.1:1", prometheus: &servers.Prometheus{URL: "http://127.0.0.1:2"},
		alertmanager: &servers.Alertmanager{Address: "127.0.0.1:3"},
	}
	want := "export PATH=" + home + "/bin:$PATH ROTAD_CONFIG=" + home +
		"/config.yaml METRICS=http://127.0.0.1:1 PROMETHEUS=http://127.0.0.1:2 ALERTMANAGER=http://127.0.0.1:3\n"
	if got := p.environment(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
