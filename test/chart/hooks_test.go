package chart_test

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rotad/rotad/test/servers"
)

func asStatus(err error) (*servers.StatusError, bool) {
	return errors.AsType[*servers.StatusError](err)
}

// hooks plays who runs the pods of helm's hooks, by what they would really do.
type hooks struct {
	cluster
	health string // host:port that stands for the daemon's Service
	said   *strings.Builder
}

// play ends the Job and the pod that helm waits for, if there is one.
func (h hooks) play() {
	h.t.Helper()
	if job, ok := h.get("Job", release+"-check"); ok && len(job.list("status", "conditions")) == 0 {
		h.setStatus("Job", job, h.ended(h.run(podSpec(job))))
	}
	if test, ok := h.get("Pod", release+"-test"); ok && test.text("status", "phase") == "Pending" {
		phase := "Failed"
		if h.run(podSpec(test)) {
			phase = "Succeeded"
		}
		h.setStatus("Pod", test, map[string]any{"phase": phase})
	}
}

// run lays the pod out from what the cluster holds and runs its command.
func (h hooks) run(spec object) (ok bool) {
	h.t.Helper()
	p, err := layOut(h.t, spec, h.data)
	if err != nil {
		h.said.WriteString(err.Error())
		return false
	}
	service := release + "." + h.namespace + ".svc:9847"
	code, said := p.run(h.t, func(argument string) string { return strings.ReplaceAll(argument, service, h.health) })
	h.said.WriteString(said)
	return code == 0
}

// ended is the status of a Job, as its controller would write it.
func (h hooks) ended(ok bool) map[string]any {
	now := time.Now().UTC().Format(time.RFC3339)
	condition := func(kind string) map[string]any {
		return map[string]any{"type": kind, "status": "True", "lastProbeTime": now, "lastTransitionTime": now}
	}
	if ok {
		return map[string]any{
			"startTime": now, "completionTime": now, "succeeded": 1,
			"conditions": []any{condition("SuccessCriteriaMet"), condition("Complete")},
		}
	}
	return map[string]any{
		"startTime": now, "failed": 1, "conditions": []any{condition("FailureTarget"), condition("Failed")},
	}
}

func (h hooks) setStatus(kind string, o object, state map[string]any) {
	h.t.Helper()
	path := h.path(kind, o.text("metadata", "name")) + "/status"
	must(h.t, h.Ask(h.t.Context(), http.MethodPatch, path, map[string]any{"status": state}, nil))
}
