package conformance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination"
	"github.com/rotad/rotad/internal/destination/destinationtest"
	"github.com/rotad/rotad/test/servers"
)

// TestConformanceKubernetes runs the suite against a real API server, under the Role that is shipped and with a token of
// a service account, and asks what only a real one can answer: who owns a field, who was faster, and what may not be.
func TestConformanceKubernetes(t *testing.T) {
	c := startCluster(t)
	t.Run("made by rotad", func(t *testing.T) {
		destinationtest.Run(t, func(t *testing.T) destinationtest.World { return newSecretWorld(t, c) })
	})
	t.Run("made by somebody else", func(t *testing.T) {
		destinationtest.Run(t, func(t *testing.T) destinationtest.World {
			w := newSecretWorld(t, c)
			w.put(nil)
			return w
		})
	})
	for name, ask := range map[string]func(*testing.T, *secretWorld){
		"what others keep survives":           othersSurvive,
		"a field that somebody else applies":  fieldOfSomebodyElse,
		"somebody else is faster":             somebodyElseIsFaster,
		"somebody else makes it first":        somebodyElseMakesIt,
		"somebody else deletes it":            somebodyElseDeletesIt,
		"a Secret that rotad makes is Opaque": madeOpaque,
		"a Secret of the type basic-auth":     basicAuth,
	} {
		t.Run(name, func(t *testing.T) { ask(t, newSecretWorld(t, c)) })
	}
	t.Run("what is refused says what to do", func(t *testing.T) { refusals(t, c) })
}

const (
	firstSecret  = "first-secret-value-of-this-test"
	secondSecret = "second-secret-value-of-this-test"
)

func copyOf(secret string) credential.Copy {
	return credential.Copy{Client: "billing", Version: 1, Bundle: bundleWith(secret)}
}

func bundleWith(secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive("billing"), credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

func (w *secretWorld) deliver(c credential.Copy) {
	w.t.Helper()
	written, err := destination.Set{}.Deliver(w.t.Context(), w.Destination(), c)
	if err != nil || !written {
		w.t.Fatalf("written %t, %v", written, err)
	}
}

func (w *secretWorld) expect(want map[string]string) {
	w.t.Helper()
	if got := w.data(); !maps.Equal(got, want) {
		w.t.Errorf("the keys are %v", got)
	}
}

func othersSurvive(t *testing.T, w *secretWorld) {
	w.put(nil)
	before := w.secret()
	both := copyOf(secondSecret)
	both.Previous = bundleWith(firstSecret)
	w.deliver(both)
	w.deliver(copyOf(secondSecret))
	w.expect(map[string]string{"client_id": "billing", "client_secret": secondSecret, "theirs": "their value\x00\xff"})
	after := w.secret()
	for _, o := range []object{before, after} {
		delete(o, "data")
		for _, key := range []string{"resourceVersion", "managedFields"} {
			delete(o["metadata"].(map[string]any), key)
		}
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the Secret of somebody else was\n%v\nand is\n%v", before, after)
	}
}

// A tool that applies the Secret owns what it applies. rotad's keys become rotad's, and the tool is told so when it wants
// them back; its other keys stay its own.
func fieldOfSomebodyElse(t *testing.T, w *secretWorld) {
	apply := func() (int, object) {
		return w.send(http.MethodPatch, w.path()+"?fieldManager=tool", "application/apply-patch+yaml", object{
			"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": w.place.Secret},
			"data": object{"client_secret": []byte("to be filled in"), "theirs": []byte("x")},
		})
	}
	if status, o := apply(); status != http.StatusCreated {
		t.Fatal(status, o)
	}
	w.deliver(copyOf(firstSecret))
	w.expect(map[string]string{"client_id": "billing", "client_secret": firstSecret, "theirs": "x"})
	owners := map[string]string{}
	fields, _ := w.secret().at("metadata", "managedFields").([]any)
	for _, field := range fields {
		text, err := json.Marshal(object(field.(map[string]any)).at("fieldsV1", "f:data"))
		must(t, err)
		owners[fmt.Sprint(object(field.(map[string]any)).at("manager"))] = string(text)
	}
	if owners["rotad"] != `{"f:client_id":{},"f:client_secret":{}}` || !strings.Contains(owners["tool"], `"f:theirs":{}`) || strings.Contains(owners["tool"], "client_secret") {
		t.Errorf("the fields belong to %v", owners)
	}
	if status, o := apply(); status != http.StatusConflict || !strings.Contains(fmt.Sprint(o["message"]), `conflict with "rotad"`) {
		t.Errorf("the tool takes the key back: %d %v", status, o["message"])
	}
}

func somebodyElseIsFaster(_ *testing.T, w *secretWorld) {
	w.put(nil)
	w.through(http.MethodPatch, func() { w.change("theirs", "theirs, changed") })
	w.deliver(copyOf(firstSecret))
	w.expect(map[string]string{"client_id": "billing", "client_secret": firstSecret, "theirs": "theirs, changed"})
}

func somebodyElseMakesIt(_ *testing.T, w *secretWorld) {
	w.through(http.MethodPost, func() { w.put(nil) })
	w.deliver(copyOf(firstSecret))
	w.expect(map[string]string{"client_id": "billing", "client_secret": firstSecret, "theirs": "their value\x00\xff"})
}

func somebodyElseDeletesIt(t *testing.T, w *secretWorld) {
	w.put(nil)
	w.through(http.MethodPatch, func() { must(t, w.Ask(t.Context(), http.MethodDelete, w.path(), nil, nil)) })
	w.deliver(copyOf(firstSecret))
	w.expect(map[string]string{"client_id": "billing", "client_secret": firstSecret})
}

func madeOpaque(t *testing.T, w *secretWorld) {
	w.deliver(copyOf(firstSecret))
	if o := w.secret(); o["type"] != "Opaque" || o.at("metadata", "labels", "app.kubernetes.io/managed-by") != "rotad" {
		t.Errorf("made as %v with %v", o["type"], o.at("metadata", "labels"))
	}
}

func basicAuth(_ *testing.T, w *secretWorld) {
	w.place.Names = map[string]string{"client_id": "username", "client_secret": "password"}
	w.put(object{"type": "kubernetes.io/basic-auth", "data": object{"username": []byte("x"), "password": []byte("y")}})
	w.deliver(copyOf(firstSecret))
	w.expect(map[string]string{"username": "billing", "password": firstSecret})
}

// foreseen are the refusals that can be told without writing anything.
var foreseen = []string{
	"no right to get", "no right to patch", "no right to create", "a token that has ended", "not to be made", "an immutable one", "of another type",
}

func refusals(t *testing.T, c *cluster) {
	for name, test := range map[string]struct {
		prepare func(*secretWorld)
		want    string
	}{
		"no right to get":    {func(w *secretWorld) { w.allow("create", "patch") }, "lacks the right to get the Secret billing-oidc in the namespace billing-"},
		"no right to patch":  {func(w *secretWorld) { w.put(nil); w.allow("get", "create") }, "lacks the right to patch the Secret billing-oidc in the namespace billing-"},
		"no right to create": {func(w *secretWorld) { w.allow("get", "patch") }, "lacks the right to create Secrets in the namespace billing-"},
		"a token that has ended": {
			func(w *secretWorld) { w.leadTo(w.URL, w.ca, w.token+"x") },
			`the login of the user "rotad" of the kubeconfig is not accepted`,
		},
		"no namespace": {func(w *secretWorld) {
			w.leadTo(w.URL, w.ca, servers.KubernetesToken)
			w.place.Namespace = "nowhere"
		}, "there is no namespace nowhere"},
		"not to be made":   {func(w *secretWorld) { w.place.Existing = true }, "there is no such Secret, and rotad is not to make it"},
		"an immutable one": {func(w *secretWorld) { w.put(object{"immutable": true}) }, "it is immutable, and nobody can change it"},
		"immutable in between": {func(w *secretWorld) {
			w.put(nil)
			w.through(http.MethodPatch, func() {
				w.send(http.MethodPatch, w.path(), "application/merge-patch+json", object{"immutable": true})
			})
		}, "it is immutable, and nobody can change it"},
		"of another type": {func(w *secretWorld) {
			w.put(object{"type": "kubernetes.io/tls", "data": object{"tls.crt": []byte("x"), "tls.key": []byte("y")}})
		}, "it is of the type kubernetes.io/tls"},
		"a key that is none": {func(w *secretWorld) {
			w.put(nil)
			w.place.Names = map[string]string{"client_secret": "a/b"}
		}, "(HTTP 422): such a Secret is invalid"},
		"larger than Kubernetes keeps": {func(w *secretWorld) {
			w.put(object{"data": object{"theirs": make([]byte, 1<<20-10)}})
		}, "(HTTP 422): such a Secret is invalid"},
		"somebody of another authority": {func(w *secretWorld) {
			other := quiet(http.NotFoundHandler())
			w.t.Cleanup(other.Close)
			w.leadTo(other.URL, w.ca, w.token)
		}, "the TLS connection was not made"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSecretWorld(t, c)
			test.prepare(w)
			before := w.secret()
			if err := destination.Check(t.Context(), w.Destination()); slices.Contains(foreseen, name) && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("asked beforehand: %v", err)
			}
			written, err := destination.Set{}.Deliver(t.Context(), w.Destination(), copyOf(firstSecret))
			if err == nil || written || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("written %t, %v; want an error with %q", written, err, test.want)
			}
			for _, secret := range []string{firstSecret, w.token} {
				if strings.Contains(err.Error(), secret) {
					t.Error("the error has a secret in it")
				}
			}
			if after := w.secret(); !reflect.DeepEqual(after["data"], before["data"]) {
				t.Error("something was written")
			}
		})
	}
}
