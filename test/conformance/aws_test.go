package conformance_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/awsiam"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/test/servers"
)

// TestConformanceAWSIAM runs the suite against moto, which checks signatures and rights: rotad's own user has those of the kind's README and
// no others.
func TestConformanceAWSIAM(t *testing.T) {
	cache, err := servers.OpenCache()
	must(t, err)
	dir, err := servers.TempDir()
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	m, err := servers.StartMoto(t.Context(), cache, "..", dir)
	must(t, err)
	t.Cleanup(m.Stop)
	own, err := m.Rotator(t.Context(), "rotad")
	must(t, err)
	providertest.Run(t, func(t *testing.T) providertest.World {
		t.Helper()
		return awsWorld(t, m, own)
	})
	t.Run("a user without rights", func(t *testing.T) {
		own, err := m.User(t.Context(), "other")
		must(t, err)
		if _, err := openAWS(t, m, own, nil).Create(t.Context(), userOf("other"), providers.Request{}); providers.ClassOf(err) != providers.ClassAuth {
			t.Errorf("it may make a key: %v", err)
		}
	})
}

func userOf(name string) providers.Target {
	return providers.Target{Client: name, Ref: credential.Ref{"user": name}}
}

func openAWS(t *testing.T, m *servers.Moto, own servers.MotoKey, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := awsiam.Kind().Open(providers.Opening{
		Name: "cloud", Transport: transport, Settings: &awsiam.Settings{URL: m.URL, STSURL: m.URL},
		Secret: func(string) (string, error) {
			return fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", own.ID, own.Secret), nil
		},
	})
	must(t, err)
	return p
}

func awsWorld(t *testing.T, m *servers.Moto, own servers.MotoKey) providertest.World {
	t.Helper()
	name := "rotated-" + strings.ToLower(rand.Text()[:8])
	first, err := m.User(t.Context(), name)
	must(t, err)
	creates := func(r *http.Request) bool { return action(r, "CreateAccessKey") }
	count := &counter{creates: creates}
	return providertest.World{
		Name: "cloud", Transport: count, Target: userOf(name), Unknown: userOf("rotated-nobody"), Field: awsiam.FieldSecretAccessKey,
		Bundle: credential.Bundle{
			credential.FieldAccessKeyID: credential.NewSensitive(first.ID), awsiam.FieldSecretAccessKey: credential.NewSensitive(first.Secret),
		},
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			t.Helper()
			return openAWS(t, m, own, transport)
		},
		Creates: creates, Verifies: func(r *http.Request) bool { return action(r, "GetCallerIdentity") },
		Created: func() int { return int(count.made.Load()) },
		Accepts: func(b credential.Bundle) bool {
			ok, err := m.Accepts(t.Context(), servers.MotoKey{
				ID: b[credential.FieldAccessKeyID].Reveal(), Secret: b[awsiam.FieldSecretAccessKey].Reveal(),
			})
			must(t, err)
			return ok
		},
		Canaries: []string{own.Secret, first.Secret},
	}
}

// action says whether a request is one for an action of the Query protocol. The body is there again afterwards.
func action(r *http.Request, name string) bool {
	if r.Body == nil {
		return false
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && strings.Contains(string(body), "Action="+name+"&")
}
