package rollout_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/reload/rollout"
	"github.com/rotad/rotad/internal/sandbox"
)

var (
	whenRead    = sandbox.When{Method: http.MethodGet, Count: -1}
	whenPatched = sandbox.When{Method: http.MethodPatch, Count: -1}
)

// echo is what a hostile server would like to see in a log.
func echo(reason, kind, object string) map[string]any {
	return map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": canary, "error": canary,
		"details": map[string]any{"name": object, "kind": kind},
	}
}

func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(*world)
		want  string
	}{
		"the token has ended": {func(w *world) { w.cluster.Forget(token) }, `the login of the user "rotad" of the kubeconfig is not accepted`},
		"no right to get":     {func(w *world) { w.cluster.Allow(token, "patch") }, "lacks the right to get the Deployment billing in the namespace shop; deploy/kubernetes/rollout.yaml has a Role"},
		"no right to patch":   {func(w *world) { w.cluster.Allow(token, "get") }, "lacks the right to patch the Deployment billing in the namespace shop"},
		"not there":           {func(w *world) { w.workload.Workload = "deployment/other" }, "there is no Deployment of that name in that namespace"},
		"of another kind":     {func(w *world) { w.workload.Workload = "daemonset/billing" }, "there is no DaemonSet of that name"},
		"of no kind":          {func(w *world) { w.workload.Workload = "pod/billing" }, `"pod/billing" is no workload that can be restarted`},
		"no kubeconfig":       {func(w *world) { w.workload.Kubeconfig += "x" }, "reading the kubeconfig: open"},
		"no such context":     {func(w *world) { w.workload.Context = "staging" }, `it has no context "staging"`},
		"being deleted": {func(w *world) {
			o := w.object()
			o["metadata"].(map[string]any)["deletionTimestamp"] = "2026-01-01T00:00:00Z"
			w.cluster.Put(o)
		}, "it is being deleted"},
		"a 404 of a proxy":         {func(w *world) { w.faults.Status(whenRead, 404, 0) }, "this is no answer of Kubernetes"},
		"a 404 about another one":  {func(w *world) { w.faults.Reply(whenRead, 404, echo("NotFound", "deployments", "other")) }, "this is no answer of Kubernetes"},
		"refused by admission":     {func(w *world) { w.faults.Reply(whenPatched, 403, echo("Forbidden", "", "")) }, "an admission policy refuses"},
		"invalid":                  {func(w *world) { w.faults.Reply(whenPatched, 422, echo("Invalid", "", "")) }, "(HTTP 422)"},
		"unavailable":              {func(w *world) { w.faults.Reply(whenRead, 503, echo("ServiceUnavailable", "", "")) }, "get: unavailable (HTTP 503)"},
		"a web page":               {func(w *world) { w.faults.Malformed(whenRead, "<html>"+canary) }, "a web page where JSON was expected"},
		"half an answer":           {func(w *world) { w.faults.Truncate(whenRead) }, "closed before the whole reply came"},
		"another workload":         {func(w *world) { w.rewrite(whenRead, `"name":"billing"`, `"name":"`+canary+`"`) }, "lacks the value that was asked for: the Deployment"},
		"of another namespace":     {func(w *world) { w.rewrite(whenRead, `"namespace":"shop"`, `"namespace":"`+canary+`"`) }, "lacks the value that was asked for: the Deployment"},
		"a text for a number":      {func(w *world) { w.rewrite(whenRead, `"generation":1`, `"generation":"`+canary+`"`) }, "not JSON as expected"},
		"the mark is not accepted": {func(w *world) { w.rewrite(whenPatched, mark, "restarted.rotad.dev/x") }, "did not stay: an admission policy of the cluster takes it away"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "Deployment")
			test.fault(w)
			w.says(w.restart(), test.want)
		})
	}
}

// rewrite changes what the server answers.
func (w *world) rewrite(when sandbox.When, old, fresh string) {
	w.t.Helper()
	w.faults.Rewrite(when, func(b []byte) []byte {
		changed := strings.ReplaceAll(string(b), old, fresh)
		if changed == string(b) {
			w.t.Errorf("the answer has no %s: %s", old, b)
		}
		return []byte(changed)
	})
}

// A question is refused like a restart, and says nothing of a rollout that it has not seen.
func TestAQuestionThatIsRefused(t *testing.T) {
	w := newWorld(t, "Deployment")
	w.says(w.restart(), "")
	w.cluster.Allow(token, "patch")
	w.says(w.settled(), "lacks the right to get")
	w.workload.Kubeconfig = filepath.Join(t.TempDir(), "nowhere")
	if err := rollout.Settled(t.Context(), w.workload, w.occasion); err == nil {
		t.Error("no error without a kubeconfig")
	}
}

// What a restart would be refused is said before there is a reason for it, and nothing is changed by the question.
func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(*world)
		want  string
	}{
		"all is well":       {func(*world) {}, ""},
		"no right to get":   {func(w *world) { w.cluster.Allow(token, "patch") }, "lacks the right to get the Deployment billing"},
		"no right to patch": {func(w *world) { w.cluster.Allow(token, "get") }, "lacks the right to patch the Deployment billing in the namespace shop"},
		"not there":         {func(w *world) { w.workload.Workload = "deployment/other" }, "there is no Deployment of that name"},
		"paused":            {func(w *world) { w.put(func(spec map[string]any) { spec["paused"] = true }) }, "it is paused"},
		"no kubeconfig":     {func(w *world) { w.workload.Kubeconfig += "x" }, "reading the kubeconfig"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "Deployment")
			test.fault(w)
			w.says(rollout.Check(t.Context(), w.workload), test.want)
			if w.patches != 0 || w.generation() != 1 {
				t.Error("it was touched")
			}
		})
	}
}
