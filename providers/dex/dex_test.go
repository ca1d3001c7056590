package dex_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/dex"
)

const spare = "rotad-spare-of-billing"

func TestAClientIsMadeAgainAsItWas(t *testing.T) {
	s := newServer(t)
	p := s.open(t, nil)
	before, err := p.Inspect(t.Context(), target("billing"))
	if err != nil {
		t.Fatal(err)
	}
	issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
	if err != nil {
		t.Fatal(err)
	}
	value := issued.Bundle.Secret().Reveal()
	if len(value) < 50 || !s.Accepts("billing", value) || issued.Secret.ID == before.Secrets[0].ID || before.ClientID != "billing" || before.Caps.Effects == "" {
		t.Errorf("%+v, %+v", before, issued.Secret)
	}
	for _, kept := range []string{"Billing <&>", "https://example.com/callback", newer} {
		if !s.Holds("billing", kept) {
			t.Errorf("%s is lost", kept)
		}
	}
	if slices.Contains(s.Clients(), spare) || len(s.Clients()) != 4 {
		t.Errorf("left behind: %v", s.Clients())
	}
}

// faulty breaks the line at the calls that match: the request has, or has not, arrived before.
func faulty(next http.RoundTripper, arrives bool, match func(method string, body []byte) bool) http.RoundTripper {
	return transport(func(r *http.Request) (*http.Response, error) {
		if r.Body == nil {
			return next.RoundTrip(r)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !match(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], body) {
			return next.RoundTrip(r)
		}
		if arrives {
			resp, err := next.RoundTrip(r)
			if err == nil {
				_ = resp.Body.Close()
			}
		}
		return nil, errors.New("the line is cut")
	})
}

func names(body []byte, id string) bool {
	return bytes.HasSuffix(body, append([]byte{byte(len(id))}, id...))
}

// Whatever call is cut off, before or after it arrived, the client is there afterwards with its old secret or its new one, and a second
// try succeeds.
func TestAClientIsNeverLeftMissing(t *testing.T) {
	fresh := func(body []byte) bool { return !bytes.Contains(body, []byte(firstSecret)) }
	for name, match := range map[string]func(method string, body []byte) bool{
		"the copy": func(method string, body []byte) bool {
			return method == "CreateClient" && bytes.Contains(body, []byte(spare))
		},
		"the deletion": func(method string, body []byte) bool {
			return method == "DeleteClient" && names(body, "billing") && !names(body, spare)
		},
		"the new client": func(method string, body []byte) bool { return method == "CreateClient" && fresh(body) },
		"the copy's end": func(method string, body []byte) bool { return method == "DeleteClient" && names(body, spare) },
	} {
		for _, arrives := range []bool{false, true} {
			s := newServer(t)
			p := s.open(t, faulty(lines(t), arrives, match))
			issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
			if (err == nil) != (name == "the copy's end") {
				t.Errorf("%s, arrived: %t: %v", name, arrives, err)
			}
			if providers.Definite(err) && !s.Accepts("billing", firstSecret) {
				t.Errorf("%s, arrived: %t: %v, and the old secret is gone", name, arrives, err)
			}
			seen, lost := s.open(t, lines(t)).Inspect(t.Context(), target("billing"))
			if lost != nil || !slices.Contains(s.Clients(), "billing") {
				t.Errorf("%s, arrived: %t: the client is missing: %+v, %v", name, arrives, seen, lost)
			}
			if err == nil && !s.Accepts("billing", issued.Bundle.Secret().Reveal()) {
				t.Errorf("%s, arrived: %t: another secret", name, arrives)
			}
			mustRotate(t, s, name)
		}
	}
}

// mustRotate rotates on a line that works: nothing is left behind.
func mustRotate(t *testing.T, s *server, name string) {
	t.Helper()
	issued, err := s.open(t, lines(t)).Create(t.Context(), target("billing"), providers.Request{})
	if err != nil || !s.Accepts("billing", issued.Bundle.Secret().Reveal()) || !s.Holds("billing", newer) {
		t.Errorf("%s: the next try: %v", name, err)
	}
	if slices.Contains(s.Clients(), spare) {
		t.Errorf("%s: the copy is left behind", name)
	}
}

// rotad dies right after the deletion: what is left is the copy.
func TestAClientIsMadeFromItsCopy(t *testing.T) {
	s := newServer(t)
	dead := func(method string, body []byte) bool {
		return method == "CreateClient" && !bytes.Contains(body, []byte(spare))
	}
	if _, err := s.open(t, faulty(lines(t), false, dead)).Create(t.Context(), target("billing"), providers.Request{}); err == nil {
		t.Fatal("the client was made")
	}
	if slices.Contains(s.Clients(), "billing") || !slices.Contains(s.Clients(), spare) {
		t.Fatalf("this shows nothing: %v", s.Clients())
	}
	p := s.open(t, lines(t))
	seen, err := p.Inspect(t.Context(), target("billing"))
	r, ok := p.(providers.Recoverer)
	if !ok || err != nil || len(seen.Secrets) != 1 || seen.ClientID != "billing" {
		t.Fatalf("%+v, %v", seen, err)
	}
	if old, err := r.Recover(t.Context(), target("billing")); err != nil || old.Bundle.Secret().Reveal() != firstSecret || old.Secret != seen.Secrets[0] {
		t.Errorf("the old secret is what counts: %+v, %v", old.Secret, err)
	}
	mustRotate(t, s, "after a death")
}

func TestWhatIsRefused(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		client string
		r      providers.Request
		want   providers.Class
	}{
		"a public client":        {client: "browser", want: providers.ClassUnsupported},
		"a static client":        {client: "built-in", want: providers.ClassUnsupported},
		"an unknown client":      {client: "nobody", want: providers.ClassNotFound},
		"no client":              {want: providers.ClassNotFound},
		"a value of rotad's own": {client: "billing", r: providers.Request{Proposed: bundle("billing", "x")}, want: providers.ClassUnsupported},
	} {
		_, err := s.open(t, nil).Create(t.Context(), target(test.client), test.r)
		if got := providers.ClassOf(err); got != test.want || !providers.Definite(err) {
			t.Errorf("%s: class %q, want %q (%v)", name, got, test.want, err)
		}
	}
	if s.Made("billing") != 0 || s.Made("built-in") != 0 || len(s.Clients()) != 4 {
		t.Errorf("one of them was made all the same: %v", s.Clients())
	}
}

// refused answers every call of the API with a code of gRPC.
func refused(code, message string) http.RoundTripper {
	return transport(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/grpc"}, "Grpc-Status": {code}, "Grpc-Message": {message}},
			Body: http.NoBody, Request: r,
		}, nil
	})
}

func TestWhatDexSays(t *testing.T) {
	s := newServer(t)
	for code, want := range map[string]providers.Class{
		"16": providers.ClassAuth, "7": providers.ClassAuth, "12": providers.ClassUnsupported, "8": providers.ClassThrottled, "14": providers.ClassUnavailable,
		"4": providers.ClassUnavailable, "2": providers.ClassUnavailable, "13": providers.ClassUnavailable, "CANARY": providers.ClassUnavailable,
	} {
		_, err := s.open(t, refused(code, "CANARY")).Inspect(t.Context(), target("billing"))
		if providers.ClassOf(err) != want || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v, want %s", code, err, want)
		}
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		through http.RoundTripper
		hint    string
	}{
		"all is well": {nil, ""}, "the certificate is refused": {refused("16", ""), "tlsClientCA"}, "no gRPC": {http.DefaultTransport, "grpc.addr"},
	} {
		c, ok := s.open(t, test.through).(providers.Checker)
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
	for name, test := range map[string]struct {
		settings dex.Settings
		path     string
	}{
		"a key alone":                  {dex.Settings{URL: "https://a", KeyFile: "k"}, "certificate_file"},
		"a certificate alone":          {dex.Settings{URL: "https://a", CertificateFile: "c"}, "certificate_file"},
		"a certificate that is unused": {dex.Settings{URL: "http://a", CertificateFile: "c", KeyFile: "k"}, "url"},
		"both":                         {dex.Settings{URL: "https://a", CertificateFile: "c", KeyFile: "k"}, ""},
	} {
		said := ""
		test.settings.Validate(func(path, _, _ string) { said = path })
		if said != test.path {
			t.Errorf("%s: %q, want %q", name, said, test.path)
		}
	}
	secret := func(string) (string, error) { return "no PEM", nil }
	for name, o := range map[string]providers.Opening{
		"settings of another kind": {Settings: 7}, "no address": {Settings: &dex.Settings{TokenURL: "https://a/token"}},
		"no token endpoint":         {Settings: &dex.Settings{URL: "https://a", TokenURL: "token"}},
		"authorities that are none": {Settings: &dex.Settings{URL: "https://a", TokenURL: "https://a/token", CAFile: "f"}, Secret: secret},
	} {
		if _, err := dex.Kind().Open(o); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestAClientsCredentialIsProved(t *testing.T) {
	s := newServer(t)
	p := s.open(t, nil)
	for want, b := range map[providers.Answer]credential.Bundle{
		providers.Accepted: bundle("billing", firstSecret), providers.Refused: bundle("billing", "wrong"),
	} {
		if got, err := p.Verify(t.Context(), target("billing"), b); got != want {
			t.Errorf("%s, want %s: %v", got, want, err)
		}
	}
}

// The API has one right. Where nobody is asked for a certificate, everybody has it.
func TestRights(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		certificate   string
		status        string // of every call; empty = the server answers
		missing, wide bool
		class         providers.Class
	}{
		"with a certificate":    {certificate: "rotad.pem"},
		"without one":           {wide: true},
		"it is refused":         {certificate: "rotad.pem", status: "16", missing: true},
		"the server is away":    {status: "14", class: providers.ClassUnavailable},
		"the server is too old": {status: "12", class: providers.ClassUnsupported},
	} {
		through := lines(t)
		if test.status != "" {
			through = transport(func(r *http.Request) (*http.Response, error) {
				h := http.Header{"Content-Type": {"application/grpc"}, "Grpc-Status": {test.status}}
				return &http.Response{StatusCode: http.StatusOK, Header: h, Body: http.NoBody, Request: r}, nil
			})
		}
		p, err := dex.Kind().Open(providers.Opening{
			Name: "door", Settings: &dex.Settings{URL: s.url, TokenURL: s.url + sandbox.PathDexToken, CertificateFile: test.certificate}, Transport: through,
		})
		if err != nil {
			t.Fatal(err)
		}
		reader, ok := providers.AsRightsReader(p)
		if !ok {
			t.Fatal("dex cannot read rights")
		}
		rights, err := reader.Rights(t.Context(), nil)
		missing := slices.ContainsFunc(rights, providers.Right.Missing)
		wide := slices.ContainsFunc(rights, providers.Right.TooWide)
		if missing != test.missing || wide != test.wide || providers.ClassOf(err) != test.class {
			t.Errorf("%s: %+v, %v", name, rights, err)
		}
	}
}
