package rollout_test

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/reload/rollout"
)

// FuzzAnswer: no answer makes it panic or is repeated in an error, and nothing that is not the workload is taken for it, or for
// one that has been rolled out.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		`{"kind":"Deployment","metadata":{"name":"billing","namespace":"shop","generation":2},"spec":{"replicas":1},"status":{"observedGeneration":2,"replicas":1,"updatedReplicas":1,"availableReplicas":1}}`,
		`{"kind":"Deployment","metadata":{"name":"billing","namespace":"shop"},"spec":{"paused":true,"template":null},"status":{"conditions":null}}`,
		`{"kind":"Status","reason":"NotFound","details":{"kind":"deployments","name":"billing"}}`,
		`{"spec":{"replicas":"CANARY"}}`, `{"spec":{"updateStrategy":{"type":"CANARY"}}}`, `[]`, `null`, `<html>`, ``,
	} {
		f.Add(text)
	}
	o := credential.Occasion{Client: "billing-api", Version: 42, Rotation: "0190"}
	f.Fuzz(func(t *testing.T, text string) {
		found, marked, missing, err := rollout.ReadAnswer(text, namespace, name, o)
		switch {
		case err != nil && strings.Contains(err.Error(), "CANARY"), missing != nil && strings.Contains(missing.Error(), "CANARY"):
			t.Errorf("an error repeats the answer: %v, %v", err, missing)
		case found && !strings.Contains(text, name) && !strings.Contains(text, `\u`):
			t.Error("an answer about nothing is taken for one")
		case found && missing == nil && !strings.Contains(strings.ToLower(text), "observedgeneration") && !strings.Contains(text, `\u`):
			t.Error("nobody has said that it was rolled out")
		case marked && !strings.Contains(text, "42"):
			t.Error("a mark that is none")
		}
	})
}
