package awsiam_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/awsiam"
	"github.com/rotad/rotad/providers/providertest"
)

// account is a stand-in with the users rotad (an admin) and billing, bad days, and the adapter.
type account struct {
	*sandbox.AWS

	faults *sandbox.Faults
	url    string
	own    string // rotad's credentials file
	secret string // rotad's secret access key
	first  credential.Bundle
	now    func() time.Time
}

// ticking is a clock that goes on by a second whenever it is read, so that no two keys begin at the same time.
func ticking() func() time.Time {
	var mu sync.Mutex
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
}

func newAccount(t testing.TB) *account {
	t.Helper()
	now := ticking()
	a := &account{AWS: sandbox.NewAWS(now, nil), faults: sandbox.NewFaults(time.After), now: now}
	id, secret, err := a.Register("rotad", true)
	if err != nil {
		t.Fatal(err)
	}
	a.secret, a.own = secret, "[default]\naws_access_key_id = "+id+"\naws_secret_access_key = "+secret+"\n"
	if id, secret, err = a.Register("billing", false); err != nil {
		t.Fatal(err)
	}
	a.first = bundle(id, secret)
	served := httptest.NewServer(a.faults.Wrap(a.Handler()))
	t.Cleanup(served.Close)
	a.url = served.URL
	return a
}

func (a *account) open(t testing.TB, own string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := awsiam.Kind().Open(providers.Opening{
		Name: "cloud", Transport: transport, Deadline: 5 * time.Second, Now: a.now,
		Settings: &awsiam.Settings{URL: a.url + sandbox.PathIAM, STSURL: a.url + sandbox.PathSTS},
		Secret:   func(string) (string, error) { return own, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(user string) providers.Target {
	return providers.Target{Client: "id-of-" + user, Ref: credential.Ref{"user": user}}
}

func bundle(id, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldAccessKeyID: credential.NewSensitive(id), awsiam.FieldSecretAccessKey: credential.NewSensitive(secret),
	}
}

// asks says whether a request is one for an action. The body is there again afterwards.
func asks(r *http.Request, action string) bool {
	if r.Body == nil {
		return false
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && strings.Contains(string(body), "Action="+action+"&")
}

func TestConformance(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		a := newAccount(t)
		return providertest.World{
			Name: "cloud", Target: target("billing"), Unknown: target("nobody"), Bundle: a.first,
			Field: awsiam.FieldSecretAccessKey, Canaries: []string{a.secret},
			Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
				return a.open(t, a.own, transport)
			},
			Creates:  func(r *http.Request) bool { return asks(r, "CreateAccessKey") },
			Verifies: func(r *http.Request) bool { return asks(r, "GetCallerIdentity") },
			Created:  func() int { return a.Made("billing") },
			Accepts: func(b credential.Bundle) bool {
				return a.Accepts(b[credential.FieldAccessKeyID].Reveal(), b[awsiam.FieldSecretAccessKey].Reveal())
			},
		}
	})
}
