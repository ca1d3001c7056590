package kubernetes_test

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/destination/kubernetes"
)

// FuzzAnswer: no answer makes it panic, and nothing that is not the Secret is taken for it, or for its absence.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		`{"kind":"Secret","metadata":{"name":"billing-oidc","namespace":"billing","resourceVersion":"1"},"type":"Opaque","data":{"client_secret":"Zmlyc3Q="}}`,
		`{"kind":"Secret","metadata":{"name":"billing-oidc","namespace":"billing","resourceVersion":"1"},"immutable":true,"data":null}`,
		`{"kind":"Status","reason":"NotFound","details":{"kind":"secrets","name":"billing-oidc"}}`,
		`{"kind":"Status","reason":"NotFound","details":null}`, `{"data":{"client_secret":"CANARY%"}}`, `{"data":{"client_secret":4711}}`, `[]`, `null`, `<html>`, ``,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, absent, err := kubernetes.ReadAnswer(text, namespace, name)
		switch {
		case err != nil && strings.Contains(err.Error(), "CANARY"):
			t.Errorf("the error repeats the answer: %v", err)
		case found && absent:
			t.Error("the Secret is there, and is not")
		case (found || absent) && !strings.Contains(text, name) && !strings.Contains(text, `\u`):
			t.Error("an answer about nothing is taken for one")
		}
	})
}
