package servers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	prometheusProgram = "/usr/bin/prometheus"
	promtoolProgram   = "/usr/bin/promtool"
)

// Prometheus is a running Prometheus that scrapes one target every second.
type Prometheus struct {
	URL     string
	process *Process
}

// InstallPrometheus installs Prometheus and promtool from Debian where they are missing, and returns promtool.
func InstallPrometheus(ctx context.Context, cache Cache) (promtool string, err error) {
	return promtoolProgram, cache.debian(ctx, []string{prometheusProgram, promtoolProgram}, "prometheus")
}

// StartPrometheus scrapes target (host:port) as the job "rotad" and evaluates the rules of a file, every second.
func StartPrometheus(ctx context.Context, cache Cache, dir, target, rules string) (*Prometheus, error) {
	if _, err := InstallPrometheus(ctx, cache); err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: rotad
    static_configs: [{targets: [%q]}]
`, rules, target)
	file := filepath.Join(dir, "prometheus.yml")
	if err = os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, fmt.Errorf("writing the configuration of prometheus: %w", err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	process, err := Launch(Spec{
		Name: "prometheus", Path: prometheusProgram, Dir: dir, Log: filepath.Join(dir, "prometheus.log"),
		Args: []string{
			"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "prometheus"), "--web.listen-address=" + addr,
		},
	})
	if err != nil {
		return nil, err
	}
	p := &Prometheus{URL: "http://" + addr, process: process}
	err = Until(ctx, 30*time.Second, 100*time.Millisecond, func(ctx context.Context) error {
		if ended := process.ended(); ended != nil {
			return ended
		}
		return do(ctx, call{method: http.MethodGet, url: p.URL + "/-/ready"})
	})
	if err != nil {
		process.Kill()
		return nil, fmt.Errorf("waiting for prometheus: %w", err)
	}
	return p, nil
}

// Stop ends Prometheus.
func (p *Prometheus) Stop() { _ = p.process.Stop(5 * time.Second) }

// LogTail returns the last lines of its log.
func (p *Prometheus) LogTail(lines int) string { return p.process.LogTail(lines) }

// Sample is one series of an answer.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Query asks an instant query.
func (p *Prometheus) Query(ctx context.Context, expression string) ([]Sample, error) {
	var out struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
				Value  [2]any            `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	address := p.URL + "/api/v1/query?query=" + url.QueryEscape(expression)
	if err := do(ctx, call{method: http.MethodGet, url: address, out: &out}); err != nil {
		return nil, err
	}
	var samples []Sample
	for _, r := range out.Data.Result {
		text, _ := r.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("reading a sample of %s: %w", expression, err)
		}
		samples = append(samples, Sample{Labels: r.Metric, Value: value})
	}
	return samples, nil
}

// RuleState is one alerting rule as the server evaluates it.
type RuleState struct {
	Name   string `json:"name"`
	Health string `json:"health"` // ok | err | unknown
	Error  string `json:"lastError"`
	State  string `json:"state"` // inactive | pending | firing
	Alerts []struct {
		State  string            `json:"state"`
		Labels map[string]string `json:"labels"`
	} `json:"alerts"`
}

// Rules lists the rules with their state.
func (p *Prometheus) Rules(ctx context.Context) ([]RuleState, error) {
	var out struct {
		Data struct {
			Groups []struct {
				Rules []RuleState `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	if err := do(ctx, call{method: http.MethodGet, url: p.URL + "/api/v1/rules", out: &out}); err != nil {
		return nil, err
	}
	var rules []RuleState
	for _, group := range out.Data.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules, nil
}
