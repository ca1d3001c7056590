package rollout

import (
	"errors"
	"fmt"

	"github.com/rotad/rotad/internal/credential"
)

// Kinds of objects (apps/v1).
const (
	kindDeployment  = "Deployment"
	kindStatefulSet = "StatefulSet"
	kindDaemonSet   = "DaemonSet"
)

// workload is what is read of a Deployment, a StatefulSet or a DaemonSet. All the rest of it is never touched.
type workload struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name       string `json:"name"`
		Namespace  string `json:"namespace"`
		Generation int64  `json:"generation"`
		Deleted    string `json:"deletionTimestamp"`
	} `json:"metadata"`
	Spec struct {
		Replicas       *int     `json:"replicas"` // nil = 1
		Paused         bool     `json:"paused"`
		UpdateStrategy strategy `json:"updateStrategy"` // not of a Deployment
		Template       struct {
			Metadata struct {
				Annotations map[string]string `json:"annotations"`
			} `json:"metadata"`
		} `json:"template"`
	} `json:"spec"`
	Status status `json:"status"`
}

type strategy struct {
	Type          string `json:"type"` // empty = RollingUpdate
	RollingUpdate struct {
		Partition int `json:"partition"` // of a StatefulSet: pods below it are kept as they are
	} `json:"rollingUpdate"`
}

// status is what the workload's controller says of its pods.
type status struct {
	Observed   int64 `json:"observedGeneration"`
	Conditions []struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	} `json:"conditions"`

	// Of a Deployment and, but for Replicas, of a StatefulSet.
	Replicas  int `json:"replicas"`
	Updated   int `json:"updatedReplicas"`
	Available int `json:"availableReplicas"`

	// Of a StatefulSet: they are the same when every pod is new.
	Ready           int    `json:"readyReplicas"`
	CurrentRevision string `json:"currentRevision"`
	UpdateRevision  string `json:"updateRevision"`

	// Of a DaemonSet.
	UpdatedScheduled int `json:"updatedNumberScheduled"`
	DesiredScheduled int `json:"desiredNumberScheduled"`
	NumberAvailable  int `json:"numberAvailable"`
}

// is says whether an answer is the workload that was asked for.
func (w *workload) is(k kind, namespace, name string) bool {
	return w.Kind == k.object && w.Metadata.Name == name && w.Metadata.Namespace == namespace
}

// marked says whether the pods are to be those of an occasion.
func (w *workload) marked(o credential.Occasion) bool {
	return w.Spec.Template.Metadata.Annotations[annotation(o.Client)] == mark(o)
}

// restartable says why the controller would not replace every pod: some would go on with the old secret, and nobody would see it.
func (w *workload) restartable() error {
	strategy := w.Spec.UpdateStrategy
	switch {
	case w.Metadata.Deleted != "":
		return errors.New("it is being deleted")
	case w.Spec.Paused:
		return errors.New(`it is paused, and replaces no pod: "kubectl rollout resume" ends that`)
	case strategy.Type != "" && strategy.Type != "RollingUpdate":
		return errors.New("its update strategy is OnDelete: Kubernetes replaces no pod by itself; make it RollingUpdate, or delete the pods in a step with a command")
	case strategy.RollingUpdate.Partition > 0:
		return fmt.Errorf("its partition is %d: the pods below that number would keep the old secret; set it to 0", strategy.RollingUpdate.Partition)
	}
	return nil
}

// unfinished says what is missing until the controller has replaced every pod, as "kubectl rollout status" judges it.
func (w *workload) unfinished() error {
	if s := w.Status; s.Observed == 0 || s.Observed < w.Metadata.Generation {
		return errors.New("its controller has not seen the restart yet")
	}
	p := w.progress()
	if p.over() {
		return nil
	}
	if w.stuck() {
		return fmt.Errorf("it makes no progress any more (ProgressDeadlineExceeded): %s; its new pods do not become available, and "+
			`"kubectl describe" says why`, p)
	}
	return errors.New(p.String())
}

func (w *workload) stuck() bool {
	for _, c := range w.Status.Conditions {
		if c.Type == "Progressing" && c.Reason == "ProgressDeadlineExceeded" {
			return true
		}
	}
	return false
}

// progress is how many pods there are to be, are new, are of the old kind, and serve.
type progress struct {
	wanted, fresh, old, available int
	turned                        bool // the controller has declared the new kind the current one
}

func (w *workload) progress() progress {
	s := w.Status
	wanted := 1
	if w.Spec.Replicas != nil {
		wanted = *w.Spec.Replicas
	}
	switch w.Kind {
	case kindDaemonSet:
		return progress{s.DesiredScheduled, s.UpdatedScheduled, max(0, s.DesiredScheduled-s.UpdatedScheduled), s.NumberAvailable, true}
	case kindStatefulSet:
		if s.UpdateRevision != "" && s.UpdateRevision == s.CurrentRevision {
			return progress{wanted, wanted, 0, s.Ready, true}
		}
		return progress{wanted, s.Updated, max(0, s.Replicas-s.Updated), s.Ready, false}
	default:
		return progress{wanted, s.Updated, max(0, s.Replicas-s.Updated), s.Available, true}
	}
}

func (p progress) over() bool {
	return p.turned && p.fresh >= p.wanted && p.old == 0 && p.available >= p.fresh
}

// String says it for people.
func (p progress) String() string {
	return fmt.Sprintf("%d of %d pods are new, %d old ones are still there, %d are available", p.fresh, p.wanted, p.old, p.available)
}
