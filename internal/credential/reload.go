package credential

import (
	"slices"
	"strings"
	"time"
)

// Reload is one step by which a consumer takes a new secret: what to do, and how to tell that it works. Exactly one thing
// to do is set.
type Reload struct {
	Name    string         `json:"name"`              // unique within the client
	Command []string       `json:"command,omitempty"` // a program by its absolute path, and its arguments; no shell
	Unit    *UnitReload    `json:"unit,omitempty"`
	Signal  *SignalReload  `json:"signal,omitempty"`
	Request *RequestReload `json:"request,omitempty"`
	Rollout *RolloutReload `json:"rollout,omitempty"`
	Login   string         `json:"login,omitempty"`  // rotad itself logs in anew there: vault, vault NAME, smtp, or provider NAME; set where it reads what the client publishes
	Health  *Probe         `json:"health,omitempty"` // asked until it answers; nil = what was done counts as taken
	Within  time.Duration  `json:"within,omitzero"`  // how long what comes after the deed may take; 0 = HealthWithin's default
}

// Occasion is what a consumer is reloaded for. A step that is done twice for one occasion can tell by it.
type Occasion struct {
	Client   string // id
	Version  int    // that Vault hands out
	Rotation string // id: Vault gives a number twice where an older copy of it was brought back
}

// UnitReload asks systemd.
type UnitReload struct {
	Name   string `json:"name"`             // billing.service
	Action string `json:"action,omitempty"` // reload, restart, try-restart, reload-or-restart; empty = reload-or-restart
}

// SignalReload sends a signal to a process.
type SignalReload struct {
	PIDFile string `json:"pid_file"`         // absolute; the first line is its number
	Signal  string `json:"signal,omitempty"` // HUP, USR1, USR2, TERM, INT; empty = HUP
}

// RequestReload is an HTTP request without a body.
type RequestReload struct {
	URL       string `json:"url"`
	Method    string `json:"method,omitempty"`     // empty = POST
	TokenFile string `json:"token_file,omitempty"` // bearer token; empty = none
}

// RolloutReload restarts a workload in a cluster of Kubernetes.
type RolloutReload struct {
	Namespace  string `json:"namespace"`
	Workload   string `json:"workload"`             // deployment/billing; or statefulset/, daemonset/
	Kubeconfig string `json:"kubeconfig,omitempty"` // path; empty = the account of the pod that rotad runs in
	Context    string `json:"context,omitempty"`    // of the kubeconfig; empty = its current one
}

// WorkloadKinds are the kinds of workload that can be restarted.
func WorkloadKinds() []string { return []string{"deployment", "statefulset", "daemonset"} }

// Named splits Workload; ok says whether it names a kind that can be restarted.
func (w *RolloutReload) Named() (kind, name string, ok bool) {
	kind, name, ok = strings.Cut(w.Workload, "/")
	return kind, name, ok && name != "" && slices.Contains(WorkloadKinds(), kind)
}

// Kind names what the step does, empty if nothing.
func (r *Reload) Kind() string {
	switch {
	case len(r.Command) > 0:
		return "command"
	case r.Unit != nil:
		return "unit"
	case r.Signal != nil:
		return "signal"
	case r.Request != nil:
		return "request"
	case r.Rollout != nil:
		return "rollout"
	case r.Login != "":
		return "login"
	}
	return ""
}

// What says what is done, for people.
func (r *Reload) What() string {
	switch r.Kind() {
	case "command":
		return strings.Join(r.Command, " ")
	case "unit":
		return "systemctl " + r.Unit.action() + " " + r.Unit.Name
	case "signal":
		return "SIG" + r.Signal.SignalName() + " to the process of " + r.Signal.PIDFile
	case "request":
		return r.Request.MethodName() + " " + r.Request.URL
	case "rollout":
		return "restart of " + r.Rollout.Workload + " in " + r.Rollout.Namespace
	case "login":
		return "rotad's own login to " + r.Login
	}
	return ""
}

func (u *UnitReload) action() string {
	if u.Action == "" {
		return "reload-or-restart"
	}
	return u.Action
}

// Arguments returns what systemctl is given.
func (u *UnitReload) Arguments() []string { return []string{u.action(), "--", u.Name} }

// SignalName returns the signal without SIG.
func (s *SignalReload) SignalName() string {
	if s.Signal == "" {
		return "HUP"
	}
	return s.Signal
}

// MethodName returns the request's method.
func (q *RequestReload) MethodName() string {
	if q.Method == "" {
		return "POST"
	}
	return q.Method
}

// Followed says whether something is asked after the deed, until it has come true.
func (r *Reload) Followed() bool { return r.Rollout != nil || r.Health != nil }

// HealthWithin returns Within or its default. A rollout may take as long as Kubernetes waits for it by itself.
func (r *Reload) HealthWithin() time.Duration {
	switch {
	case r.Within != 0:
		return r.Within
	case r.Rollout != nil:
		return 10 * time.Minute
	}
	return time.Minute
}

func (r *Reload) equal(o *Reload) bool {
	return all(
		r.Name == o.Name, slices.Equal(r.Command, o.Command), same(r.Unit, o.Unit), same(r.Signal, o.Signal),
		same(r.Request, o.Request), same(r.Rollout, o.Rollout), r.Login == o.Login, same(r.Health, o.Health), r.Within == o.Within,
	)
}

// ReloadState is how far one step of a rotation's reload is.
type ReloadState struct {
	Name  string    `json:"name"`
	Ran   time.Time `json:"ran,omitzero"`  // when it was done; zero = not yet
	Done  time.Time `json:"done,omitzero"` // when its health answered after that; zero = not yet
	Tries int       `json:"tries,omitempty"`
	Next  time.Time `json:"next,omitzero"`   // not before
	Error string    `json:"error,omitempty"` // the last failure for people
}

// ReloadAt returns how far a step is; the zero value with its name if it has not begun.
func (r *Rotation) ReloadAt(name string) ReloadState {
	for i := range r.Reloads {
		if r.Reloads[i].Name == name {
			return r.Reloads[i]
		}
	}
	return ReloadState{Name: name}
}

// WithReload returns the states of the steps with one replaced. The rotation's own list is left alone: others may hold it.
func (r *Rotation) WithReload(state ReloadState) []ReloadState {
	out := slices.Clone(r.Reloads)
	i := slices.IndexFunc(out, func(s ReloadState) bool { return s.Name == state.Name })
	if i < 0 {
		return append(out, state)
	}
	out[i] = state
	return out
}

func sameReloads(a, b []Reload) bool {
	return slices.EqualFunc(a, b, func(x, y Reload) bool { return x.equal(&y) })
}
