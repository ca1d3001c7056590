package keycloak_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// hostile answers requests whose path ends in one of the suffixes with one body, and the rest as the realm does.
func hostile(r *realm, body, method string, suffixes ...string) inProcess {
	handler := r.Handler()
	return func(w http.ResponseWriter, req *http.Request) {
		for _, suffix := range suffixes {
			if strings.HasSuffix(req.URL.Path, suffix) && (method == "" || req.Method == method) {
				_, _ = io.WriteString(w, body)
				return
			}
		}
		handler.ServeHTTP(w, req)
	}
}

func fuzzed(f *testing.F) *realm {
	f.Helper()
	r := newRealm(f, sandbox.KeycloakSettings{Policy: &sandbox.KeycloakPolicy{}})
	if err := r.Register(sandbox.KeycloakClient{ClientID: "billing", Secret: firstSecret}); err != nil {
		f.Fatal(err)
	}
	return r
}

// What answers a create is a secret, or it is kept: it is never lost and never repeated in an error.
func FuzzIssued(f *testing.F) {
	for _, body := range []string{
		`{"type":"secret","value":"` + mark + `"}`, `{"value":"**********"}`, `{"value":""}`, `{"value":["` + mark + `"]}`,
		`{"value":"` + mark, `<html>` + mark, ``, `null`, `{"value":"` + mark + `","error":"` + mark + `"}`, `{"VALUE":"` + mark + `"} x`,
	} {
		f.Add(body)
	}
	r := fuzzed(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := r.open(t, hostile(r, body, http.MethodPost, "/client-secret"))
		issued, err := p.Create(t.Context(), target("billing"), providers.Request{Label: "l"})
		switch {
		case err == nil && (issued.Bundle.Secret().Empty() || issued.Secret.ID == ""):
			t.Error("a success without secret or id")
		case err != nil && providers.ClassOf(err) != providers.ClassNotUnderstood:
			t.Errorf("the class is %q", providers.ClassOf(err))
		case err != nil && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		}
		decoder, ok := p.(providers.Decoder)
		if !ok {
			t.Fatal("the provider cannot read a stored reply again")
		}
		again, failed := decoder.Decode(target("billing"), credential.NewSensitive(body))
		if failed == nil && err == nil && (again.Secret.ID != issued.Secret.ID || !again.Bundle.Equal(issued.Bundle)) {
			t.Error("the stored reply is read as another secret")
		}
	})
}

// What lists a client is read, or refused: no secret is listed twice, and the value that is read back belongs to its id.
func FuzzClients(f *testing.F) {
	for _, body := range []string{
		`[{"id":"u","clientId":"billing","enabled":true,"secret":"` + mark + `","attributes":{"client.secret.creation.time":"1772366400"}}]`,
		`[{"id":"u","clientId":"billing","secret":"**********","attributes":{"client.secret.rotated":"**********"}}]`,
		`[{"id":"u","clientId":"billing","secret":"s","attributes":{"client.secret.rotated":"s","client.secret.rotated.expiration.time":"-1"}}]`,
		`[{"id":"u","clientId":"billing","publicClient":true}]`, `[{"id":"","clientId":"billing"}]`, `[]`, `{}`, `[null]`, `<html>` + mark, ``,
		`[{"id":"u","clientId":"billing","attributes":{"client.secret.creation.time":"9223372036854775807"}}]`,
		`[{"id":"u","clientId":"billing","attributes":{"x":1}}]`, `[{"id":"../..","clientId":"billing","secret":"` + mark + `"}`,
	} {
		f.Add(body)
	}
	r := fuzzed(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := r.open(t, hostile(r, body, http.MethodGet, "/clients"))
		seen, err := p.Inspect(t.Context(), target("billing"))
		if err == nil && (len(seen.Secrets) == 0 || len(seen.Secrets) > 2 || seen.ClientID != "billing") {
			t.Errorf("%+v", seen)
		}
		back, failed := recoverer(t, p).Recover(t.Context(), target("billing"))
		if failed == nil && back.Bundle.Secret().Empty() {
			t.Error("an empty value was read back")
		}
		if current, ok := seen.Current(); err == nil && failed == nil && ok && current.ID != "" && current.ID != back.Secret.ID {
			t.Errorf("listed as %s, read back as %s", current.ID, back.Secret.ID)
		}
		for _, err := range []error{err, failed, revoke(t, p, "v0000000000000000")} {
			if err != nil && strings.Contains(err.Error(), mark) {
				t.Errorf("the error repeats the answer: %v", err)
			}
		}
	})
}
