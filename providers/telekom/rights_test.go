package telekom_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telekom"
)

// granting is a transport that adds a scope to what the token endpoint answers.
type granting string

// RoundTrip implements http.RoundTripper.
func (g granting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/token") {
		return resp, err
	}
	var body map[string]any
	err = json.NewDecoder(resp.Body).Decode(&body)
	_ = resp.Body.Close()
	body["scope"] = string(g)
	raw, _ := json.Marshal(body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	return resp, err
}

func TestScopesOfTheTeam(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	for scope, want := range map[string]struct {
		missing, wide string
		unknown       bool
	}{
		"profile tardis:team:all":         {"", "", false},
		"tardis:user:all":                 {"", "", false},
		"tardis:user:read":                {"tardis:team:all", "", false},
		"tardis:team:all tardis:hub:all":  {"", "tardis:hub:all", false},
		"tardis:admin:all tardis:hub:all": {"", "tardis:hub:all, tardis:admin:all", false},
		"profile email":                   {"", "", true},
	} {
		reader, ok := providers.AsRightsReader(w.open(t, &telekom.Settings{RoverTokenEnv: "ROVER_TOKEN", SecretRotation: "auto"}, granting(scope)))
		if !ok {
			t.Fatal("the rights of the team cannot be read")
		}
		rights, err := reader.Rights(t.Context(), nil)
		if want.unknown != (providers.ClassOf(err) == providers.ClassUnsupported) {
			t.Errorf("%s: error %v", scope, err)
		}
		var missing, wide []string
		for _, r := range rights {
			if r.Missing() {
				missing = append(missing, r.Name)
			} else if r.TooWide() {
				wide = append(wide, r.Name)
			}
		}
		if strings.Join(missing, ", ") != want.missing || strings.Join(wide, ", ") != want.wide {
			t.Errorf("%s: missing %v, too wide %v", scope, missing, wide)
		}
	}
}
