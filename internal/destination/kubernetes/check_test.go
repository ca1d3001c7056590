package kubernetes_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/destination"
	"github.com/rotad/rotad/internal/sandbox"
)

// What a delivery would be refused is said before there is a secret to deliver, and nothing is changed by the question.
func TestCheck(t *testing.T) {
	const there, absent = true, false
	asked := sandbox.When{Method: http.MethodPost, Count: -1}
	for name, test := range map[string]struct {
		exists bool
		fault  func(*world)
		want   string
	}{
		"all is well":         {there, func(*world) {}, ""},
		"it will be made":     {absent, func(*world) {}, ""},
		"no right to get":     {there, func(w *world) { w.allow("patch", "create") }, "lacks the right to get the Secret billing-oidc"},
		"no right to patch":   {there, func(w *world) { w.allow("get", "create") }, "lacks the right to patch the Secret billing-oidc"},
		"to patch it later":   {absent, func(w *world) { w.allow("get", "create") }, "lacks the right to patch the Secret billing-oidc"},
		"no right to create":  {absent, func(w *world) { w.allow("get", "patch") }, "lacks the right to create Secrets in the namespace billing"},
		"needs none":          {there, func(w *world) { w.allow("get", "patch") }, ""},
		"not to be made":      {absent, func(w *world) { w.place.Existing = true }, "there is no such Secret, and rotad is not to make it"},
		"immutable":           {there, func(w *world) { w.put(map[string]any{"immutable": true}) }, "it is immutable"},
		"the token has ended": {there, func(w *world) { w.cluster.Forget(token) }, "is not accepted"},
		"no kubeconfig":       {there, func(w *world) { w.place.Kubeconfig += "x" }, "reading the kubeconfig"},
		"no answer":           {there, func(w *world) { w.faults.Reply(asked, 201, map[string]any{"status": map[string]any{"reason": canary}}) }, "lacks the value that was asked for: whether it is allowed"},
		"a web page":          {there, func(w *world) { w.faults.Malformed(asked, "<html>"+canary) }, "a web page where JSON was expected"},
		"unavailable":         {there, func(w *world) { w.faults.Reply(asked, 503, echo("ServiceUnavailable", "", "")) }, "review: unavailable (HTTP 503)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.exists {
				w.put(nil)
			}
			test.fault(w)
			before := w.cluster.Object(namespace, "billing-oidc")
			err := destination.Check(t.Context(), w.Destination())
			if (test.want == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "kubernetes: billing/billing-oidc: ")) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if err != nil && (strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), token)) {
				t.Errorf("the error repeats what only the server is to see: %v", err)
			}
			if after := w.cluster.Object(namespace, "billing-oidc"); (before == nil) != (after == nil) || after != nil && w.version() != before["metadata"].(map[string]any)["resourceVersion"] {
				t.Error("something was changed")
			}
		})
	}
}
