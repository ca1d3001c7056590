package servers

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/freeport"
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

// Scrape says what a Prometheus does, every second.
type Scrape struct {
	Target       string        // host:port, as the job "rotad"
	Rules        string        // file of rules that it evaluates
	Alertmanager string        // host:port that is told of alerts; empty = nobody
	Remember     time.Duration // how old the last value of a series may be; 0 = five minutes
}

// StartPrometheus scrapes target (host:port) as the job "rotad" and evaluates the rules of a file, every second.
func StartPrometheus(ctx context.Context, cache Cache, dir, target, rules string) (*Prometheus, error) {
	return StartScrape(ctx, cache, dir, Scrape{Target: target, Rules: rules})
}

// StartScrape starts a Prometheus and waits until it answers.
func StartScrape(ctx context.Context, cache Cache, dir string, s Scrape) (*Prometheus, error) {
	if _, err := InstallPrometheus(ctx, cache); err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err = os.WriteFile(file, []byte(s.config()), 0o644); err != nil {
		return nil, fmt.Errorf("writing the configuration of prometheus: %w", err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	args := []string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "prometheus"), "--web.listen-address=" + addr,
	}
	if s.Remember > 0 {
		args = append(args, "--query.lookback-delta="+s.Remember.String())
	}
	process, err := Launch(Spec{
		Name: "prometheus", Path: prometheusProgram, Dir: dir, Log: filepath.Join(dir, "prometheus.log"), Args: args,
	})
	if err != nil {
		return nil, err
	}
	p := &Prometheus{URL: "http://" + addr, process: process}
	return p, awaitReady(ctx, process, p.URL+"/-/ready")
}

func (s Scrape) config() string {
	text := fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: rotad
    static_configs: [{targets: [%q]}]
`, s.Rules, s.Target)
	if s.Alertmanager != "" {
		text += fmt.Sprintf("alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}\n", s.Alertmanager)
	}
	return text
}

// awaitReady waits until a server answers at an address. One that does not is killed.
func awaitReady(ctx context.Context, process *Process, address string) error {
	err := Until(ctx, 30*time.Second, 100*time.Millisecond, func(ctx context.Context) error {
		if ended := process.ended(); ended != nil {
			return ended
		}
		return do(ctx, call{method: http.MethodGet, url: address})
	})
	if err != nil {
		process.Kill()
		return fmt.Errorf("waiting for %s: %w", process.name, err)
	}
	return nil
}

// Stop ends Prometheus.
func (p *Prometheus) Stop() { _ = p.process.Stop(5 * time.Second) }

// LogTail returns the last lines of its log.
func (p *Prometheus) LogTail(lines int) string { return p.process.LogTail(lines) }

// Sample is one series of an answer.
type Sample struct {
	Labels map[string]string
	Value  float64 // of a question about a span of time, the last one that is a number
}

// Query asks an instant query.
func (p *Prometheus) Query(ctx context.Context, expression string) ([]Sample, error) {
	return p.ask(ctx, "query", url.Values{"query": {expression}})
}

// QueryAt asks an instant query about a moment, which may be to come.
func (p *Prometheus) QueryAt(ctx context.Context, expression string, at time.Time) ([]Sample, error) {
	return p.ask(ctx, "query", url.Values{"query": {expression}, "time": {at.UTC().Format(time.RFC3339Nano)}})
}

// QueryRange asks about a span of time until now.
func (p *Prometheus) QueryRange(ctx context.Context, expression string, back, step time.Duration) ([]Sample, error) {
	now := time.Now().UTC()
	return p.ask(ctx, "query_range", url.Values{
		"query": {expression}, "step": {step.String()},
		"start": {now.Add(-back).Format(time.RFC3339Nano)}, "end": {now.Format(time.RFC3339Nano)},
	})
}

func (p *Prometheus) ask(ctx context.Context, how string, question url.Values) ([]Sample, error) {
	var out struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
				Value  [2]any            `json:"value"`
				Values [][2]any          `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := do(ctx, call{method: http.MethodPost, url: p.URL + "/api/v1/" + how, form: question, out: &out}); err != nil {
		return nil, err
	}
	var samples []Sample
	for _, r := range out.Data.Result {
		sample := Sample{Labels: r.Metric, Value: math.NaN()}
		for _, point := range append(r.Values, r.Value) {
			text, _ := point[1].(string)
			if text == "" || text == "NaN" {
				continue
			}
			var err error
			if sample.Value, err = strconv.ParseFloat(text, 64); err != nil {
				return nil, fmt.Errorf("reading a sample of %s: %w", question.Get("query"), err)
			}
		}
		samples = append(samples, sample)
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
		State    string            `json:"state"`
		Labels   map[string]string `json:"labels"`
		ActiveAt time.Time         `json:"activeAt"` // when the rule first found it
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
