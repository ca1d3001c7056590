package awscognito_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// What answers a create that succeeded is a secret, or it is kept: a plaintext is never lost, and never repeated in an error.
func FuzzAdded(f *testing.F) {
	for _, body := range []string{
		`{"ClientSecretDescriptor":{"ClientSecretId":"billing--1","ClientSecretValue":"` + mark + `","ClientSecretCreateDate":1.772366401E9}}`,
		`{"ClientSecretDescriptor":{"ClientSecretId":"billing--1","ClientSecretValue":["` + mark + `"]}}`, `{"ClientSecretDescriptor":null}`,
		`{"ClientSecretDescriptor":{"ClientSecretId":"x","ClientSecretValue":"` + mark + `","ClientSecretCreateDate":1e300}}`, `<html>` + mark, ``, `[]`,
	} {
		f.Add(body)
	}
	s := newServer(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := s.open(t, own, answers{http.StatusOK, body})
		issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
		switch class := providers.ClassOf(err); {
		case err == nil && (issued.Secret.ID == "" || issued.Bundle.Secret().Empty()):
			t.Error("a success without a secret")
		case class == providers.ClassNotUnderstood && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		}
		d, ok := p.(providers.Decoder)
		if !ok {
			t.Fatal("a stored reply cannot be read again")
		}
		again, failed := d.Decode(target("billing"), credential.NewSensitive(body))
		if (failed == nil) != (err == nil) || failed == nil && !again.Bundle.Equal(issued.Bundle) {
			t.Errorf("the stored reply is read otherwise: %v", failed)
		}
		if failed != nil && strings.Contains(failed.Error(), mark) {
			t.Errorf("the error repeats the reply: %v", failed)
		}
	})
}

// What answers a look is a list, or an error that proves nothing and repeats nothing.
func FuzzListed(f *testing.F) {
	for _, body := range []string{
		`{"ClientSecrets":[{"ClientSecretId":"billing--1","ClientSecretCreateDate":1772366401.5}],"NextToken":"` + mark + `"}`,
		`{"ClientSecrets":[{"ClientSecretCreateDate":-1}]}`, `{"ClientSecrets":null}`, `{"ClientSecrets":[]}`, `{"__type":"` + mark + `"}`, `<html>` + mark, ``,
	} {
		f.Add(body, 200)
		f.Add(body, 400)
	}
	s := newServer(f)
	f.Fuzz(func(t *testing.T, body string, status int) {
		if status < 200 || status > 599 {
			return
		}
		seen, err := s.open(t, own, answers{status, body}).Inspect(t.Context(), target("billing"))
		for _, secret := range seen.Secrets {
			if secret.ID == "" {
				t.Errorf("a secret without an id: %+v", seen)
			}
		}
		if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)) {
			t.Errorf("%v", err)
		}
	})
}
