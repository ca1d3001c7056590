package rollout_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// A process may die between the deed and its note: the second time nothing is restarted.
func TestARestartIsDoneOnceForEachOccasion(t *testing.T) {
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, kind)
			for range 3 {
				w.says(w.restart(), "")
			}
			if w.patches != 1 || w.generation() != 2 {
				t.Errorf("patched %d times, generation %v", w.patches, w.generation())
			}
			for i, change := range []func(*credential.Occasion){
				func(o *credential.Occasion) { o.Version++ },
				func(o *credential.Occasion) { o.Rotation = "0191" }, // a number that Vault has given twice
			} {
				change(&w.occasion)
				w.says(w.restart(), "")
				if w.generation() != float64(3+i) {
					t.Errorf("another occasion did not restart it: generation %v", w.generation())
				}
			}
		})
	}
}

// What others have written stays, byte for byte.
func TestOnlyTheMarkIsWritten(t *testing.T) {
	w := newWorld(t, "Deployment")
	before := w.object()
	w.says(w.restart(), "")
	if got := w.annotations()[mark]; got != "client billing-api, version 42, rotation 0190" {
		t.Errorf("marked with %v", got)
	}
	after := w.object()
	delete(after["spec"].(map[string]any)["template"].(map[string]any)["metadata"].(map[string]any)["annotations"].(map[string]any), mark)
	for _, o := range []map[string]any{before, after} {
		delete(o["metadata"].(map[string]any), "resourceVersion")
		delete(o["metadata"].(map[string]any), "generation")
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("it was\n%v\nand is\n%v", before, after)
	}
}

// Two clients whose secrets one workload reads do not restart it in turns for ever.
func TestClientsDoNotUndoEachOthersRestart(t *testing.T) {
	w := newWorld(t, "Deployment")
	other := w.occasion
	for _, id := range []string{"shop", "a:b", "a@b", "a/b", "0123456789abcdef0123456789abcdef"} {
		other.Client = id
		for range 2 {
			w.says(w.restart(), "")
			w.occasion, other = other, w.occasion
		}
	}
	if w.patches != 6 || w.generation() != 7 || len(w.annotations()) != 7 {
		t.Errorf("six clients restarted it %d times; generation %v, annotations %v", w.patches, w.generation(), w.annotations())
	}
}

func TestARolloutIsOverWhenEveryPodIsNewAndServes(t *testing.T) {
	type said = map[string]any
	for kind, stages := range map[string][]struct {
		status said
		want   string
	}{
		"Deployment": {
			{said{"replicas": 3, "updatedReplicas": 0, "availableReplicas": 3}, "0 of 3 pods are new, 3 old ones are still there, 3 are available"},
			{said{"replicas": 4, "updatedReplicas": 1, "availableReplicas": 3}, "1 of 3 pods are new, 3 old ones are still there, 3 are available"},
			{said{"replicas": 4, "updatedReplicas": 3, "availableReplicas": 4}, "3 of 3 pods are new, 1 old ones are still there"},
			{said{"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2}, "2 are available"},
			{said{"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2, "conditions": []any{said{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}}}, "no progress any more (ProgressDeadlineExceeded): 3 of 3"},
			{said{"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "conditions": []any{said{"type": "Progressing", "reason": "NewReplicaSetAvailable"}}}, ""},
		},
		"StatefulSet": {
			{said{"replicas": 3, "updatedReplicas": 0, "readyReplicas": 3, "currentRevision": "a", "updateRevision": "b"}, "0 of 3 pods are new, 3 old ones are still there"},
			{said{"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "currentRevision": "a", "updateRevision": "b"}, "3 of 3 pods are new"},
			{said{"replicas": 3, "updatedReplicas": 3, "readyReplicas": 2, "currentRevision": "b", "updateRevision": "b"}, "2 are available"},
			{said{"replicas": 3, "readyReplicas": 3, "currentRevision": "b", "updateRevision": "b"}, ""},
		},
		"DaemonSet": {
			{said{"desiredNumberScheduled": 5, "updatedNumberScheduled": 2, "numberAvailable": 5}, "2 of 5 pods are new, 3 old ones are still there"},
			{said{"desiredNumberScheduled": 5, "updatedNumberScheduled": 5, "numberAvailable": 4}, "5 of 5 pods are new, 0 old ones are still there, 4 are available"},
			{said{"desiredNumberScheduled": 5, "updatedNumberScheduled": 5, "numberAvailable": 5}, ""},
		},
	} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, kind)
			w.says(w.settled(), "taken the restart back")
			w.control(stages[len(stages)-1].status) // of the pods before
			w.says(w.restart(), "")
			w.says(w.settled(), "has not seen the restart yet")
			for _, stage := range stages {
				w.control(stage.status)
				w.says(w.settled(), stage.want)
			}
		})
	}
}

// A workload without pods is over at once, and one that says nothing is to have one.
func TestFewPods(t *testing.T) {
	w := newWorld(t, "Deployment")
	w.put(func(spec map[string]any) { spec["replicas"] = 0 })
	w.says(w.restart(), "")
	w.control(map[string]any{})
	w.says(w.settled(), "")
	w.put(func(spec map[string]any) { delete(spec, "replicas") })
	w.says(w.restart(), "")
	w.control(map[string]any{})
	w.says(w.settled(), "0 of 1 pods are new")
}

// Pods that nobody would replace go on with the old secret: that is said before anything is touched.
func TestWhatWouldKeepOldPodsIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		kind   string
		change func(spec map[string]any)
		want   string
	}{
		"paused":            {"Deployment", func(spec map[string]any) { spec["paused"] = true }, "it is paused, and replaces no pod"},
		"on delete":         {"DaemonSet", func(spec map[string]any) { spec["updateStrategy"] = map[string]any{"type": "OnDelete"} }, "is OnDelete: Kubernetes replaces no pod by itself"},
		"on delete, in row": {"StatefulSet", func(spec map[string]any) { spec["updateStrategy"] = map[string]any{"type": "OnDelete"} }, "is OnDelete"},
		"a partition": {"StatefulSet", func(spec map[string]any) {
			spec["updateStrategy"] = map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"partition": 2}}
		}, "its partition is 2: the pods below that number would keep the old secret"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.kind)
			w.put(test.change)
			w.says(w.restart(), test.want)
			if w.patches != 0 {
				t.Error("it was touched")
			}
		})
	}
}

// Whoever undoes a rollout brings the old pods back, some of which have never ended.
func TestARestartThatIsTakenBackIsNotOver(t *testing.T) {
	w := newWorld(t, "Deployment")
	done := map[string]any{"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
	w.says(w.restart(), "")
	w.control(done)
	w.says(w.settled(), "")
	w.put(nil)
	w.control(done)
	w.says(w.settled(), `"rotad resume billing-api --retry" restarts it again`)
	w.says(w.restart(), "")
	w.control(done)
	w.says(w.settled(), "")
	w.put(func(spec map[string]any) { spec["paused"] = true })
	w.occasion.Version++
	w.says(w.restart(), "it is paused")
}

// What was marked although no answer came is found the next time, and not restarted again.
func TestALostAnswerRestartsNothingTwice(t *testing.T) {
	w := newWorld(t, "Deployment")
	w.faults.DropReply(sandbox.When{Method: http.MethodPatch})
	w.says(w.restart(), "patch: ")
	w.says(w.restart(), "")
	if w.generation() != 2 {
		t.Errorf("generation %v", w.generation())
	}
}
