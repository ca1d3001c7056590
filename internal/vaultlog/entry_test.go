package vaultlog_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/vaultlog"
)

// whole is an entry as Vault writes one, without what nobody looks at.
const whole = `{"time":"2026-12-06T08:00:00.528995105Z","type":"response","auth":{"client_token":"hmac-sha256:1","accessor":"hmac-sha256:2",` +
	`"display_name":"approle","policies":["default"],"metadata":{"role_name":"batch"},"entity_id":"8d4f9b2c","token_type":"service"},` +
	`"request":{"id":"1cc73d31","operation":"read","mount_point":"secret/","namespace":{"id":"root"},"path":"secret/data/apps/billing/oidc"},` +
	`"response":{"mount_type":"kv","data":{"data":{"client_secret":"hmac-sha256:3"},"metadata":{"created_time":"hmac-sha256:4",` +
	`"custom_metadata":null,"deletion_time":"hmac-sha256:5","destroyed":false,"version":7}}}}`

func TestWhatAnEntrySays(t *testing.T) {
	want := vaultlog.Read{Mount: "secret", Path: "apps/billing/oidc", Entity: "8d4f9b2c", Role: "batch", Version: 7}
	deep, team := want, want
	deep.Mount, team.Namespace = "teams/a/data", "team"
	pod := want
	pod.Role, pod.Entity = "web", ""
	none := vaultlog.Read{}
	tests := map[string]struct {
		was, is string
		want    vaultlog.Read
	}{
		"a read":                     {"", "", want},
		"after a prefix":             {`{"time"`, `vault: {"time"`, want},
		"of an older Vault":          {`"mount_point":"secret/",`, "", want},
		"in a namespace":             {`{"id":"root"}`, `{"id":"x","path":"team/"}`, team},
		"in a mount with slashes":    {`"secret/","namespace":{"id":"root"},"path":"secret`, `"teams/a/data/","namespace":{"id":"root"},"path":"teams/a/data`, deep},
		"by a pod, without entity":   {`{"role_name":"batch"},"entity_id":"8d4f9b2c"`, `{"role":"web"}`, pod},
		"the request of it":          {`"type":"response"`, `"type":"request"`, none},
		"a write":                    {`"operation":"read"`, `"operation":"update","x":"read"`, none},
		"one that was refused":       {`"type":"response"`, `"type":"response","error":"permission denied"`, none},
		"a version that was deleted": {`{"client_secret":"hmac-sha256:3"}`, "null", none},
		"without a version":          {`"version":7`, `"x":7`, none},
		"a version as an HMAC":       {`"version":7`, `"version":"hmac-sha256:6"`, none},
		"its metadata":               {"secret/data/", "secret/metadata/", none},
		"another kind of mount":      {`"secret/",`, `"other/",`, none},
		"no path":                    {"apps/billing/oidc", "", none},
		"half a line":                {`"version":7}}}}`, "", none},
		"text":                       {whole, `the path /data/ was "read"`, none},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := vaultlog.Parse([]byte(strings.Replace(whole, tt.was, tt.is, 1)))
			if ok != (tt.want != none) || ok && got != tt.want {
				t.Errorf("%t %+v", ok, got)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(`{"type":"response","request":{"operation":"read","path":"/data/"}}`))
	f.Add([]byte(`x{`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if r, ok := vaultlog.Parse(line); ok && (r.Version <= 0 || r.Path == "" || r.Mount == "" || strings.HasPrefix(r.Mount, "/")) {
			t.Errorf("%q: %+v", line, r)
		}
	})
}

// The log was written by Vault 1.21.0, of an AppRole that reads version 1, the current one (2), version 9, which there is not, and
// version 1 again after it was deleted.
func TestTheLogOfVaultItself(t *testing.T) {
	content, err := os.ReadFile("testdata/vault-1.21.0.log")
	if err != nil {
		t.Fatal(err)
	}
	var got []vaultlog.Read
	for line := range bytes.Lines(content) {
		if r, ok := vaultlog.Parse(line); ok {
			got = append(got, r)
		}
	}
	want := vaultlog.Read{Mount: "secret", Path: "apps/five", Entity: "43e2f09e-79ed-df20-1daa-fb0cd74310ba", Role: "batch", Version: 1}
	second := want
	second.Version = 2
	if !slices.Equal(got, []vaultlog.Read{want, second}) {
		t.Errorf("%+v", got)
	}
}
