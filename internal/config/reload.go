package config

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// reloadSettings are how consumers take a new secret, as it is written.
type reloadSettings struct {
	// Stagger is the pause between two steps.
	Stagger span `yaml:"stagger" json:"stagger" implied:"0s"`
	// Steps are done one after the other, when every destination holds the new secret; one that fails stops those after it.
	Steps []reloadStep `yaml:"steps" json:"steps"`
}

// reloadStep makes one consumer take the new secret; exactly one thing to do is written.
type reloadStep struct {
	// Name of the consumer, unique within the client.
	Name string `yaml:"name" json:"name" required:"true"`
	// Command is a program by its absolute path, and its arguments. There is no shell, and nothing of rotad's environment.
	Command []string `yaml:"command" json:"command"`
	// Unit is a unit of systemd.
	Unit *unitSettings `yaml:"unit" json:"unit"`
	// Signal goes to the process of a pid file.
	Signal *signalSettings `yaml:"signal" json:"signal"`
	// Request is an HTTP request without a body; any 2xx is a yes.
	Request *requestSettings `yaml:"request" json:"request"`
	// Rollout replaces the pods of a workload in a cluster, and waits until that is over.
	Rollout *rolloutSettings `yaml:"rollout" json:"rollout"`
	// Health is asked after it until it answers; not written = what was done counts as taken.
	Health *probeSettings `yaml:"health" json:"health"`
	// Within is how long a rollout and the health may take before the owner is told; not written = 10m for a rollout, 1m for everything else.
	Within span `yaml:"within" json:"within"`
}

// unitSettings are a unit of systemd as it is written.
type unitSettings struct {
	// Name of the unit.
	Name string `yaml:"name" json:"name" required:"true"`
	// Action that systemctl is asked for.
	Action string `yaml:"action" json:"action" implied:"reload-or-restart" enum:"reload-or-restart,reload,restart,try-restart"`
}

// signalSettings are a signal as it is written.
type signalSettings struct {
	// PIDFile holds the number of the process; an absolute path.
	PIDFile string `yaml:"pidfile" json:"pidfile" required:"true"`
	// Signal that is sent, without SIG.
	Signal string `yaml:"signal" json:"signal" implied:"HUP" enum:"HUP,USR1,USR2,INT,TERM"`
}

// requestSettings are a request as it is written.
type requestSettings struct {
	// URL that is asked.
	URL string `yaml:"url" json:"url" required:"true" format:"probe"`
	// Method of the request.
	Method string `yaml:"method" json:"method" implied:"POST" enum:"POST,PUT,PATCH,GET"`
	// TokenFile holds a bearer token; not written = none is sent.
	TokenFile string `yaml:"token_file" json:"token_file"`
}

// rolloutSettings are a workload in a cluster as it is written.
type rolloutSettings struct {
	// Namespace of the workload.
	Namespace string `yaml:"namespace" json:"namespace" required:"true"`
	// Workload by its kind and name: deployment/billing, or statefulset/ and daemonset/.
	Workload string `yaml:"workload" json:"workload" required:"true"`
	// KubeconfigFile leads to the cluster, with a token, a tokenFile or a client certificate; not written = the service account of the pod that rotad runs in.
	KubeconfigFile string `yaml:"kubeconfig_file" json:"kubeconfig_file"`
	// Context of the kubeconfig; not written = its current-context.
	Context string `yaml:"context" json:"context"`
}

func (c *clientSettings) reloads() []credential.Reload {
	var out []credential.Reload
	for i := range c.Reload.Steps {
		out = append(out, c.Reload.Steps[i].reload())
	}
	return out
}

func (r *reloadStep) reload() credential.Reload {
	out := credential.Reload{Name: r.Name, Command: r.Command, Within: time.Duration(r.Within)}
	if r.Unit != nil {
		out.Unit = &credential.UnitReload{Name: r.Unit.Name, Action: r.Unit.Action}
	}
	if r.Signal != nil {
		out.Signal = &credential.SignalReload{PIDFile: r.Signal.PIDFile, Signal: r.Signal.Signal}
	}
	if r.Request != nil {
		out.Request = &credential.RequestReload{URL: r.Request.URL, Method: r.Request.Method, TokenFile: r.Request.TokenFile}
	}
	if w := r.Rollout; w != nil {
		out.Rollout = &credential.RolloutReload{Namespace: w.Namespace, Workload: w.Workload, Kubeconfig: w.KubeconfigFile, Context: w.Context}
	}
	if r.Health != nil {
		out.Health = &credential.Probe{URL: r.Health.URL, Expect: r.Health.Expect}
	}
	return out
}

// reloads checks the steps of a client's reload.
func (c *complaint) reloads(cl *credential.Client) {
	if cl.Stagger < 0 {
		c.add("reload.stagger", "is negative", "")
	}
	names, workloads := map[string]bool{}, map[credential.RolloutReload]bool{}
	for i := range cl.Reloads {
		r, path := &cl.Reloads[i], fmt.Sprintf("reload.steps[%d]", i)
		c.name(path+".name", r.Name)
		if names[r.Name] {
			c.add(path+".name", fmt.Sprintf("is the second step of the name %q", r.Name), "give each step a name of its own")
		}
		names[r.Name] = true
		if w := r.Rollout; w != nil {
			if workloads[*w] {
				c.add(path+".rollout", fmt.Sprintf("is the second step that restarts %s in %s", w.Workload, w.Namespace),
					"one secret restarts a workload once: leave this step out")
			}
			workloads[*w] = true
		}
		c.reload(path, r)
	}
}

func (c *complaint) reload(path string, r *credential.Reload) {
	if n := things(r); n != 1 {
		c.add(path, fmt.Sprintf("says %d things to do, instead of one", n), "write one of command, unit, signal, request, rollout; several are several steps")
	}
	if len(r.Command) > 0 && !filepath.IsAbs(r.Command[0]) {
		c.add(path+".command", fmt.Sprintf("%q is no absolute path of a program", r.Command[0]), "there is no shell, and no search path")
	}
	if r.Signal != nil {
		c.absolute(path+".signal.pidfile", r.Signal.PIDFile)
		c.oneOf(path+".signal.signal", r.Signal.SignalName(), []string{"HUP", "USR1", "USR2", "INT", "TERM"})
	}
	if r.Unit != nil {
		c.oneOf(path+".unit.action", r.Unit.Action, []string{"reload-or-restart", "reload", "restart", "try-restart"})
	}
	if q := r.Request; q != nil {
		c.probe(path+".request", &credential.Probe{URL: q.URL})
		c.oneOf(path+".request.method", q.Method, []string{"POST", "PUT", "PATCH", "GET"})
		if q.TokenFile != "" {
			c.absolute(path+".request.token_file", q.TokenFile)
		}
	}
	if r.Rollout != nil {
		c.rollout(path+".rollout", r.Rollout)
	}
	if r.Health != nil {
		c.probe(path+".health", r.Health)
	}
	if r.Within < 0 {
		c.add(path+".within", "is negative", "")
	}
}

// things counts what a step says is to be done.
func things(r *credential.Reload) int {
	return count(len(r.Command) > 0, r.Unit != nil, r.Signal != nil, r.Request != nil, r.Rollout != nil, r.Login != "")
}

func (c *complaint) absolute(path, text string) {
	if !filepath.IsAbs(text) {
		c.add(path, fmt.Sprintf("%q is no absolute path", text), "")
	}
}
