package awscognito_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/awscognito"
)

func TestTwoSecretsStandBesideEachOther(t *testing.T) {
	s := newServer(t)
	p := s.open(t, own, nil)
	issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := p.Inspect(t.Context(), target("billing"))
	if err != nil || len(seen.Secrets) != 2 || seen.Secrets[0] != issued.Secret || seen.Caps.Slots != 2 || seen.ClientID != "billing" || seen.Time.IsZero() {
		t.Fatalf("newest first: %+v, %v", seen, err)
	}
	if !issued.Secret.Never || issued.Secret.Start.Year() != 2026 {
		t.Errorf("%+v", issued.Secret)
	}
	if _, err = p.Create(t.Context(), target("billing"), providers.Request{}); providers.ClassOf(err) != providers.ClassQuota {
		t.Errorf("a third secret: %v", err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		client, own string
		r           providers.Request
		want        providers.Class
	}{
		"an unknown app client":        {client: "nobody", own: own, want: providers.ClassNotFound},
		"no app client":                {own: own, want: providers.ClassNotFound},
		"a key that AWS does not know": {client: "billing", own: strings.Replace(own, "AKID", "AKIB", 1), want: providers.ClassAuth},
		"a wrong secret":               {client: "billing", own: strings.Replace(own, "EXAMPLEKEY", "EXAMPLEKEX", 1), want: providers.ClassAuth},
		"no credentials":               {client: "billing", own: "[default]", want: providers.ClassAuth},
		"a value of rotad's own":       {client: "billing", own: own, r: providers.Request{Proposed: bundle("billing", "x")}, want: providers.ClassUnsupported},
	} {
		_, err := s.open(t, test.own, nil).Create(t.Context(), target(test.client), test.r)
		if got := providers.ClassOf(err); got != test.want || !providers.Definite(err) {
			t.Errorf("%s: class %q, want %q (%v)", name, got, test.want, err)
		}
	}
	p := s.open(t, own, nil)
	if _, err := p.Inspect(t.Context(), target("browser")); providers.ClassOf(err) != providers.ClassUnsupported {
		t.Errorf("a public app client: %v", err)
	}
	revoker, ok := p.(providers.Revoker)
	seen, err := p.Inspect(t.Context(), target("other"))
	if !ok || err != nil {
		t.Fatal(err)
	}
	if err := revoker.Revoke(t.Context(), target("other"), seen.Secrets[0].ID); providers.ClassOf(err) != providers.ClassRejected || !s.Accepts("other", "other-secret") {
		t.Errorf("the last secret: %v", err)
	}
	if s.Made("billing") != 0 {
		t.Error("one of them was made all the same")
	}
}

// answers is AWS with one answer for everything.
type answers struct {
	status int
	body   string
}

// RoundTrip implements http.RoundTripper.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

func TestWhatAWSSays(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		status int
		body   string
		want   providers.Class
	}{
		"too many requests":          {400, `{"__type":"TooManyRequestsException","message":"Rate exceeded"}`, providers.ClassThrottled},
		"a code with its name space": {400, `{"__type":"com.amazon.coral#LimitExceededException"}`, providers.ClassQuota},
		"a right is missing":         {400, `{"__type":"AccessDeniedException","message":"CANARY"}`, providers.ClassAuth},
		"a wrong clock":              {400, `{"__type":"InvalidSignatureException","message":"Signature expired: CANARY"}`, providers.ClassAuth},
		"an accident":                {500, `{"__type":"InternalErrorException"}`, providers.ClassIndeterminate},
		"a proxy that knows a code":  {503, `{"__type":"LimitExceededException"}`, providers.ClassIndeterminate},
		"a code that nobody knows":   {400, `{"__type":"CANARY","message":"CANARY"}`, providers.ClassRejected},
		"no value":                   {200, `{"ClientSecretDescriptor":{"ClientSecretId":"CANARY"}}`, providers.ClassNotUnderstood},
	} {
		issued, err := s.open(t, own, answers{test.status, test.body}).Create(t.Context(), target("billing"), providers.Request{})
		if got := providers.ClassOf(err); got != test.want || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %q, want %q (%v)", name, got, test.want, err)
		}
		if issued.Raw.Empty() == (test.want == providers.ClassNotUnderstood) {
			t.Errorf("%s: the reply is kept: %t", name, !issued.Raw.Empty())
		}
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		own       string
		transport http.RoundTripper
		hint      string
	}{
		"all is well":        {own, nil, ""},
		"the key is refused": {strings.Replace(own, "AKID", "AKIB", 1), nil, "credentials_file"},
		"no service":         {own, answers{200, "{}"}, "region"},
	} {
		c, ok := s.open(t, test.own, test.transport).(providers.Checker)
		if !ok {
			t.Fatal("no Checker")
		}
		findings := c.Check(t.Context())
		if (len(findings) == 0) != (test.hint == "") || len(findings) > 0 && !strings.Contains(findings[0].Hint, test.hint) {
			t.Errorf("%s: %+v", name, findings)
		}
	}
}

func TestSettingsThatCannotWork(t *testing.T) {
	for id, good := range map[string]bool{
		pool: true, "us-gov-west-1_a": true, "AbCdEf123": false, "eu-central-1": false, "eu-central-1_": false, "my pool_x": false, "a.b-c-1_x": false,
	} {
		said := ""
		(&awscognito.Settings{UserPool: id}).Validate(func(path, _, _ string) { said = path })
		if (said == "") != good {
			t.Errorf("%s: %q", id, said)
		}
	}
	for name, o := range map[string]providers.Opening{
		"settings of another kind": {Settings: 7}, "no pool": {Settings: &awscognito.Settings{UserPool: "x", TokenURL: "https://a/token"}},
		"no address":        {Settings: &awscognito.Settings{UserPool: pool, URL: "x", TokenURL: "https://a/token"}},
		"no token endpoint": {Settings: &awscognito.Settings{UserPool: pool, TokenURL: "x"}},
	} {
		if _, err := awscognito.Kind().Open(o); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// A request that is an hour late is refused with the code of a wrong signature, and the person is told of the clock.
func TestAWrongClockIsNamed(t *testing.T) {
	s := newServer(t)
	p, err := awscognito.Kind().Open(providers.Opening{
		Name: "pool", Now: func() time.Time { return s.now().Add(-time.Hour) }, Secret: func(string) (string, error) { return own, nil },
		Settings: &awscognito.Settings{UserPool: pool, URL: s.url, TokenURL: s.url + sandbox.PathCognitoToken},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = p.Inspect(t.Context(), target("billing")); providers.ClassOf(err) != providers.ClassAuth || !strings.Contains(err.Error(), "clock") {
		t.Errorf("%v", err)
	}
}
