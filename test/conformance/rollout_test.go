package conformance_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/reload"
	"github.com/rotad/rotad/test/servers"
)

// TestConformanceRollout restarts workloads of a real API server, under the Role that is shipped and with a token of a service
// account. There are no controllers: the test says what they would.
func TestConformanceRollout(t *testing.T) {
	c := startCluster(t)
	for _, k := range []workloadKind{
		{"deployment", "Deployment", "deployments", object{}, []rolloutStage{
			{object{"replicas": 3, "updatedReplicas": 0, "readyReplicas": 3, "availableReplicas": 3}, "0 of 2 pods are new"},
			{object{"replicas": 3, "updatedReplicas": 2, "readyReplicas": 3, "availableReplicas": 3}, "1 old ones are still there"},
			{object{"replicas": 2, "updatedReplicas": 2, "readyReplicas": 1, "availableReplicas": 1, "conditions": []object{
				{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"},
			}}, "no progress any more (ProgressDeadlineExceeded)"},
			{object{"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, "conditions": nil}, ""},
		}},
		{"statefulset", "StatefulSet", "statefulsets", object{"serviceName": "billing"}, []rolloutStage{
			{object{"replicas": 2, "updatedReplicas": 1, "readyReplicas": 2, "currentRevision": "a", "updateRevision": "b"}, "1 of 2 pods are new"},
			{object{"replicas": 2, "updatedReplicas": 2, "readyReplicas": 1, "currentRevision": "b", "updateRevision": "b"}, "1 are available"},
			{object{"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "currentRevision": "b", "updateRevision": "b"}, ""},
		}},
		{"daemonset", "DaemonSet", "daemonsets", object{"replicas": nil}, []rolloutStage{
			{object{"currentNumberScheduled": 2, "numberMisscheduled": 0, "numberReady": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 2}, "1 of 2 pods are new"},
			{object{"currentNumberScheduled": 2, "numberMisscheduled": 0, "numberReady": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}, ""},
		}},
	} {
		t.Run(k.written, func(t *testing.T) {
			w := newWorkloadWorld(t, c, k)
			t.Run("it is restarted once, and over when every pod is new", func(t *testing.T) { w.restarts(t) })
			t.Run("what is refused says what to do", func(t *testing.T) { w.refuses(t) })
		})
	}
}

// workloadKind is a kind of workload, and what its controller says on the way.
type workloadKind struct {
	written, kind, plural string
	more                  object // of its spec
	stages                []rolloutStage
}

type rolloutStage struct {
	status object
	says   string // empty = it is over
}

// workloadWorld is a namespace with a workload, the Role that is shipped, and a kubeconfig that leads there.
type workloadWorld struct {
	*secretWorld
	workloadKind
	step     credential.Reload
	occasion credential.Occasion
}

func newWorkloadWorld(t *testing.T, c *cluster, k workloadKind) *workloadWorld {
	t.Helper()
	w := &workloadWorld{
		secretWorld: &secretWorld{cluster: c, t: t, place: credential.KubernetesPlace{Namespace: "billing-" + strings.ToLower(rand.Text()[:8])}}, workloadKind: k,
		occasion: credential.Occasion{Client: "billing-api", Version: 42, Rotation: "0190"},
	}
	c.namespace(t, w.place.Namespace)
	w.leadTo(c.URL, c.ca, c.token)
	w.step = credential.Reload{Rollout: &credential.RolloutReload{
		Namespace: w.place.Namespace, Workload: k.written + "/billing", Kubeconfig: w.place.Kubeconfig,
	}}
	w.deploy()
	w.applyRole()
	return w
}

func (w *workloadWorld) at(name string) string {
	return "/apis/apps/v1/namespaces/" + w.place.Namespace + "/" + w.plural + name
}

// deploy makes the workload as somebody would.
func (w *workloadWorld) deploy() {
	w.t.Helper()
	labels := object{"app": "billing"}
	spec := object{
		"replicas": 2, "selector": object{"matchLabels": labels},
		"template": object{
			"metadata": object{"labels": labels, "annotations": object{"theirs": "ä <&> \u2028"}},
			"spec":     object{"containers": []object{{"name": "main", "image": "billing:1"}}},
		},
	}
	for key, value := range w.more {
		if spec[key] = value; value == nil {
			delete(spec, key)
		}
	}
	must(w.t, w.Ask(w.t.Context(), http.MethodPost, w.at("?fieldValidation=Strict"), object{
		"apiVersion": "apps/v1", "kind": w.kind, "metadata": object{"name": "billing"}, "spec": spec,
	}, nil))
}

// applyRole makes the Role that is shipped and its binding, for this kind of workload.
func (w *workloadWorld) applyRole() {
	w.t.Helper()
	text, err := os.ReadFile("../../deploy/kubernetes/rollout.yaml")
	must(w.t, err)
	for part := range strings.SplitSeq(strings.ReplaceAll(string(text), "[deployments]", "["+w.plural+"]"), "\n---\n") {
		var o map[string]any
		must(w.t, yaml.Load([]byte(part), &o))
		meta, ok := o["metadata"].(map[string]any)
		if !ok || meta["namespace"] != "billing" {
			w.t.Fatalf("a part of the file is for another namespace: %v", meta)
		}
		meta["namespace"] = w.place.Namespace
		plural := map[any]string{"Role": "roles", "RoleBinding": "rolebindings"}[o["kind"]]
		must(w.t, w.Ask(w.t.Context(), http.MethodPost, w.rbac(plural)+"?fieldValidation=Strict", o, nil))
	}
	w.await("get", "billing", true)
	w.await("patch", "billing", true)
	for _, verb := range []string{"create", "delete", "update", "list"} {
		w.await(verb, "billing", false)
	}
	w.await("patch", "other", false)
}

// await waits until the API server judges so.
func (w *workloadWorld) await(verb, name string, want bool) {
	w.t.Helper()
	must(w.t, servers.Until(w.t.Context(), time.Minute, 50*time.Millisecond, func(ctx context.Context) error {
		var review object
		err := w.Ask(ctx, http.MethodPost, "/apis/authorization.k8s.io/v1/subjectaccessreviews", object{"spec": object{
			"user": account, "resourceAttributes": object{"namespace": w.place.Namespace, "verb": verb, "group": "apps", "resource": w.plural, "name": name},
		}}, &review)
		if got := review.at("status", "allowed"); err == nil && got != want {
			return fmt.Errorf("%s %s: %v, want %t", verb, name, got, want)
		}
		return err
	}))
}

func (w *workloadWorld) object(t *testing.T) object {
	t.Helper()
	var o object
	must(t, w.Ask(t.Context(), http.MethodGet, w.at("/billing"), nil, &o))
	return o
}

// control says what the controller would of the generation that is there now.
func (w *workloadWorld) control(t *testing.T, status object) {
	t.Helper()
	status["observedGeneration"] = w.object(t).at("metadata", "generation")
	must(t, w.Ask(t.Context(), http.MethodPatch, w.at("/billing/status"), object{"status": status}, nil))
}

func (w *workloadWorld) says(t *testing.T, err error, want string) {
	t.Helper()
	if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func (w *workloadWorld) restarts(t *testing.T) {
	w.says(t, reload.Check(t.Context(), w.step), "")
	w.control(t, w.stages[len(w.stages)-1].status) // of the pods before
	w.says(t, reload.Settled(t.Context(), w.step, w.occasion), "somebody has taken the restart back")
	for range 2 {
		w.says(t, reload.Do(t.Context(), w.step, w.occasion), "")
	}
	o := w.object(t)
	if got := fmt.Sprint(o.at("metadata", "generation")); got != "2" {
		t.Errorf("generation %s after the same step twice", got)
	}
	annotations, _ := o.at("spec", "template", "metadata", "annotations").(map[string]any)
	if len(annotations) != 2 || annotations["theirs"] != "ä <&> \u2028" || annotations["restarted.rotad.dev/billing-api"] != "client billing-api, version 42, rotation 0190" {
		t.Errorf("annotations %v", annotations)
	}
	w.says(t, reload.Settled(t.Context(), w.step, w.occasion), "has not seen the restart yet")
	for _, stage := range w.stages {
		w.control(t, stage.status)
		w.says(t, reload.Settled(t.Context(), w.step, w.occasion), stage.says)
	}
}

func (w *workloadWorld) refuses(t *testing.T) {
	next := w.occasion
	next.Version++
	other := *w.step.Rollout
	other.Workload = w.written + "/other"
	w.says(t, reload.Do(t.Context(), credential.Reload{Rollout: &other}, next), "lacks the right to get the "+w.kind+" other")
	must(t, w.Ask(t.Context(), http.MethodPatch, w.rbac("roles")+"/rotad-restarts-billing", object{"rules": []object{
		{"apiGroups": []string{"apps"}, "resources": []string{w.plural}, "verbs": []string{"get"}},
	}}, nil))
	w.await("patch", "billing", false)
	w.await("get", "other", true)
	w.says(t, reload.Do(t.Context(), credential.Reload{Rollout: &other}, next), "there is no "+w.kind+" of that name")
	w.says(t, reload.Do(t.Context(), w.step, next), "lacks the right to patch the "+w.kind+" billing")
	w.says(t, reload.Check(t.Context(), w.step), "lacks the right to patch the "+w.kind+" billing")
	stopped := map[string]object{
		"deployment":  {"paused": true},
		"statefulset": {"updateStrategy": object{"rollingUpdate": object{"partition": 1}}},
		"daemonset":   {"updateStrategy": object{"type": "OnDelete", "rollingUpdate": nil}},
	}[w.written]
	must(t, w.Ask(t.Context(), http.MethodPatch, w.at("/billing"), object{"spec": stopped}, nil))
	wrong := map[string]string{"deployment": "it is paused", "statefulset": "its partition is 1", "daemonset": "is OnDelete"}[w.written]
	w.says(t, reload.Do(t.Context(), w.step, next), wrong)
	gone := *w.step.Rollout
	gone.Kubeconfig = filepath.Join(t.TempDir(), "nowhere")
	w.says(t, reload.Do(t.Context(), credential.Reload{Rollout: &gone}, next), "reading the kubeconfig")
}
