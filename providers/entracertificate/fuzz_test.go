package entracertificate_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entracertificate"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// answers is Graph with one answer for every look; updates succeed and are kept, and the login succeeds.
type answers struct {
	status int
	look   string
	wrote  *[]byte
}

// RoundTrip implements http.RoundTripper.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := a.status, a.look
	switch {
	case strings.HasSuffix(r.URL.Path, "/token"):
		status, body = http.StatusOK, `{"access_token":"t","expires_in":3600}`
	case r.Method == http.MethodPatch:
		*a.wrote, _ = io.ReadAll(r.Body)
		status, body = http.StatusNoContent, ""
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// Whatever a look shows, an update writes back every entry of it and one more; what cannot be read is written back by nobody, and
// repeated by no error.
func FuzzListed(f *testing.F) {
	for _, body := range []string{
		`{"appId":"app","keyCredentials":[]}`, `{"appId":"app","keyCredentials":[{"keyId":"k","type":"AsymmetricX509Cert","usage":"Verify","key":"MAA=","endDateTime":"2026-03-01T12:00:00Z","x":1}]}`,
		`{"appId":"app","keyCredentials":[{"keyId":"k","usage":"Sign"},{"keyId":"l"}]}`, `{"appId":"app","keyCredentials":[{}]}`, `{"appId":"app","keyCredentials":[null]}`,
		`{"appId":"app","keyCredentials":[{"keyId":"k","key":"` + mark + `!"}]}`, `{"appId":"app"}`, `{"appId":"app","keyCredentials":null}`, `<html>` + mark, ``, `null`,
	} {
		f.Add(body, 200)
		f.Add(body, 403)
	}
	w := newTenant(f, sandbox.Graph{})
	f.Fuzz(func(t *testing.T, body string, status int) {
		if status < 200 || status > 599 {
			return
		}
		var wrote []byte
		p := w.open(t, answers{status, body, &wrote})
		seen, err := p.Inspect(t.Context(), target("app"))
		for _, s := range seen.Secrets {
			if s.ID == "" {
				t.Errorf("a certificate without an id: %+v", seen)
			}
		}
		_, failed := p.Create(t.Context(), target("app"), providers.Request{Proposed: w.first})
		for _, err := range []error{err, failed} {
			if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)) {
				t.Errorf("%v", err)
			}
		}
		if wrote == nil {
			return
		}
		var before, after struct {
			Keys []map[string]any `json:"keyCredentials"`
		}
		if json.Unmarshal([]byte(body), &before) != nil || json.Unmarshal(wrote, &after) != nil || len(after.Keys) != len(before.Keys)+1 {
			t.Fatalf("%d entries became %d", len(before.Keys), len(after.Keys))
		}
		for i, key := range before.Keys {
			if after.Keys[i]["keyId"] != key["keyId"] {
				t.Errorf("entry %d is another one now", i)
			}
		}
	})
}

// FuzzPair reads what stands in Vault: a pair that belongs together, or an error that repeats nothing.
func FuzzPair(f *testing.F) {
	w := newTenant(f, sandbox.Graph{})
	f.Add(w.first[credential.FieldPrivateKey].Reveal(), w.first[entracertificate.FieldCertificate].Reveal(), w.first.Names())
	f.Add("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "")
	f.Add(mark, mark, mark)
	f.Fuzz(func(t *testing.T, private, certificate, id string) {
		der, err := entracertificate.PairOf(credential.Bundle{
			credential.FieldPrivateKey: credential.NewSensitive(private), entracertificate.FieldCertificate: credential.NewSensitive(certificate),
			credential.FieldKeyID: credential.NewSensitive(id),
		})
		if (err == nil) != (len(der) > 0) || err != nil && strings.Contains(err.Error(), mark) {
			t.Errorf("%d bytes, %v", len(der), err)
		}
	})
}

// FuzzKept: what goes back has the values that came, and no member that no update takes.
func FuzzKept(f *testing.F) {
	for _, text := range []string{`{"keyId":"k","key":"MAA=","hasExtendedValue":true}`, `{"keyId":null}`, `{"displayName":{"a":[1]}}`, `{}`, `null`, `[]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept, err := entracertificate.Kept(raw)
		if err != nil {
			return
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal(raw, &before) != nil || json.Unmarshal(kept, &after) != nil {
			t.Fatalf("%q becomes %q", raw, kept)
		}
		for name, value := range after {
			var a, b any
			if json.Unmarshal(before[name], &a) != nil || json.Unmarshal(value, &b) != nil || !reflect.DeepEqual(a, b) || name == "hasExtendedValue" {
				t.Errorf("%s: %s becomes %s", name, before[name], value)
			}
		}
	})
}
