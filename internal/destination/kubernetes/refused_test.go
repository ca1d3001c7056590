package kubernetes_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/destination/kubernetes"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

var (
	whenRead    = sandbox.When{Method: http.MethodGet, Count: -1}
	whenCreated = sandbox.When{Method: http.MethodPost, Count: -1}
	whenPatched = sandbox.When{Method: http.MethodPatch, Count: -1}
)

const canary = "first-secret-value-of-this-test"

// echo is what a hostile server would like to see in a log: all that it was sent.
func echo(reason, kind, object string) map[string]any {
	return map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
		"message": canary + " Zmlyc3Qtc2VjcmV0LXZhbHVlLW9mLXRoaXMtdGVzdA== " + token,
		"error":   canary, "details": map[string]any{"name": object, "kind": kind},
	}
}

func TestRefusals(t *testing.T) {
	const there, absent = true, false
	for name, test := range map[string]struct {
		exists bool
		fault  func(*world)
		want   string
	}{
		"the token has ended": {there, func(w *world) { w.cluster.Forget(token) }, `the login of the user "rotad" of the kubeconfig is not accepted`},
		"no right to get": {
			there, func(w *world) { w.allow("patch", "create") },
			`the user "rotad" of the kubeconfig lacks the right to get the Secret billing-oidc in the namespace billing`,
		},
		"no right to patch":  {there, func(w *world) { w.allow("get", "create") }, "lacks the right to patch the Secret billing-oidc in the namespace billing"},
		"no right to create": {absent, func(w *world) { w.allow("get", "patch") }, "lacks the right to create Secrets in the namespace billing; or make billing-oidc yourself"},
		"not to be made":     {absent, func(w *world) { w.place.Existing = true }, "there is no such Secret, and rotad is not to make it"},
		"no namespace":       {absent, func(w *world) { w.noNamespace() }, "there is no namespace nowhere"},
		"immutable":          {there, func(w *world) { w.put(map[string]any{"immutable": true}) }, "it is immutable, and nobody can change it: delete it"},
		"of another type":    {there, func(w *world) { w.put(map[string]any{"type": "kubernetes.io/tls"}) }, "it is of the type kubernetes.io/tls"},
		"invalid": {
			there, func(w *world) { w.place.Names = map[string]string{"client_secret": "a/b"} },
			"(HTTP 422): such a Secret is invalid",
		},
		"made immutable meanwhile": {there, func(w *world) {
			w.faults.Reply(whenPatched, 422, echo("Invalid", "Secret", "billing-oidc"))
		}, "(HTTP 422): such a Secret is invalid"},
		"too large":                  {there, func(w *world) { w.faults.Reply(whenPatched, 413, echo("RequestEntityTooLarge", "", "")) }, "larger than Kubernetes keeps"},
		"conflicts without end":      {there, func(w *world) { w.faults.Reply(whenPatched, 409, echo("Conflict", "secrets", "billing-oidc")) }, "somebody else changes it all the time"},
		"always made by others":      {absent, func(w *world) { w.faults.Reply(whenCreated, 409, echo("AlreadyExists", "secrets", "billing-oidc")) }, "somebody else changes it all the time"},
		"a 404 of a proxy":           {there, func(w *world) { w.faults.Status(whenRead, 404, 0) }, "this is no answer of Kubernetes"},
		"a 404 about another one":    {there, func(w *world) { w.faults.Reply(whenRead, 404, echo("NotFound", "secrets", "other")) }, "this is no answer of Kubernetes"},
		"a 404 to a change":          {there, func(w *world) { w.faults.Status(whenPatched, 404, 0) }, "this is no answer of Kubernetes"},
		"unavailable":                {there, func(w *world) { w.faults.Reply(whenRead, 503, echo("ServiceUnavailable", "", "")) }, "get: unavailable (HTTP 503)"},
		"broken by a change":         {there, func(w *world) { w.faults.Reply(whenPatched, 500, echo("InternalError", "", "")) }, "patch: indeterminate (HTTP 500)"},
		"a web page":                 {there, func(w *world) { w.faults.Malformed(whenRead, "<html>"+canary) }, "a web page where JSON was expected"},
		"a web page with a status":   {there, func(w *world) { w.faults.Status(whenRead, 502, 0) }, "unavailable (HTTP 502)"},
		"a redirect":                 {there, func(w *world) { w.faults.Status(whenRead, 302, 0) }, "(HTTP 302)"},
		"half an answer":             {there, func(w *world) { w.faults.Truncate(whenRead) }, "closed before the whole reply came"},
		"no answer":                  {there, func(w *world) { w.faults.Reset(whenRead) }, "connection"},
		"not base64":                 {there, func(w *world) { w.rewrite(`"data":{"theirs":`, `"data":{"client_secret":"%%`+canary+`","theirs":`) }, "not JSON"},
		"a number for a text":        {there, func(w *world) { w.rewrite(`"data":{"theirs":`, `"data":{"client_secret":4711,"theirs":`) }, "not JSON as expected"},
		"another Secret":             {there, func(w *world) { w.rewrite(`"name":"billing-oidc"`, `"name":"`+canary+`"`) }, "lacks the value that was asked for: the Secret"},
		"of another namespace":       {there, func(w *world) { w.rewrite(`"namespace":"billing"`, `"namespace":"`+canary+`"`) }, "lacks the value that was asked for: the Secret"},
		"without a version":          {there, func(w *world) { w.rewrite(`"resourceVersion":"1"`, `"resourceVersion":""`) }, "lacks the value that was asked for: the Secret"},
		"a Status with the code 200": {there, func(w *world) { w.faults.Reply(whenRead, 200, map[string]any{"kind": "Status", "message": canary}) }, "lacks the value that was asked for: the Secret"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.exists {
				w.put(nil)
			}
			test.fault(w)
			written, err := kubernetes.Deliver(t.Context(), w.place, copyOf(canary))
			if err == nil || written || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("written %t, %v, want an error with %q", written, err, test.want)
			}
			if !strings.HasPrefix(err.Error(), w.place.Namespace+"/billing-oidc: ") {
				t.Errorf("the error does not begin with the place: %v", err)
			}
			for _, secret := range []string{canary, "Zmlyc3Q", token} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error repeats what only the server is to see: %q", secret)
				}
			}
		})
	}
}

func (w *world) noNamespace() { w.place.Namespace = "nowhere" }

// rewrite changes what the server answers to a look.
func (w *world) rewrite(old, fresh string) {
	w.t.Helper()
	w.faults.Rewrite(whenRead, func(b []byte) []byte {
		changed := strings.ReplaceAll(string(b), old, fresh)
		if changed == string(b) {
			w.t.Errorf("the answer has no %s: %s", old, b)
		}
		return []byte(changed)
	})
}

// A Secret that holds what it should is right, whatever else it is: nothing has to be written.
func TestAnImmutableSecretThatFitsIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	if _, err := kubernetes.Deliver(t.Context(), w.place, copyOf(canary)); err != nil {
		t.Fatal(err)
	}
	o := w.cluster.Object(namespace, name)
	o["immutable"] = true
	w.cluster.Put(o)
	if written, err := kubernetes.Deliver(t.Context(), w.place, copyOf(canary)); err != nil || written {
		t.Errorf("written %t, %v", written, err)
	}
}

// A busy API server says when to come back; the core waits at least that long.
func TestRetryAfterReachesTheCore(t *testing.T) {
	w := newWorld(t)
	w.faults.Status(whenRead, http.StatusTooManyRequests, 40*time.Second)
	_, err := kubernetes.Deliver(t.Context(), w.place, copyOf(canary))
	if got := providers.RetryAfter(err); got != 40*time.Second {
		t.Errorf("wait %v: %v", got, err)
	}
}

// What was written although no answer came is found at the next delivery, and not written again.
func TestALostAnswerIsFoundAtTheNextLook(t *testing.T) {
	for name, when := range map[string]sandbox.When{"create": {Method: http.MethodPost}, "patch": {Method: http.MethodPatch}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if name == "patch" {
				w.put(nil)
			}
			w.faults.DropReply(when)
			if written, err := kubernetes.Deliver(t.Context(), w.place, copyOf(canary)); err == nil || written {
				t.Fatalf("written %t, %v", written, err)
			}
			version := w.version()
			if written, err := kubernetes.Deliver(t.Context(), w.place, copyOf(canary)); err != nil || written || w.version() != version {
				t.Errorf("written %t again, %v", written, err)
			}
		})
	}
}

func TestWhatCannotBeNamedIsSaid(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		names, previous map[string]string
		want            string
	}{
		"a field that is not there": {map[string]string{"key_id": "KEY"}, nil, `the bundle has no field "key_id"; it has client_id, client_secret`},
		"one key for two":           {nil, map[string]string{"client_secret": "client_id"}, `the old client_secret has the name "client_id"`},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.place
			p.Names, p.Previous = test.names, test.previous
			_, err := kubernetes.Deliver(t.Context(), p, copyOf(canary))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if o := w.cluster.Object(namespace, name); o != nil {
		t.Error("something was written")
	}
}
