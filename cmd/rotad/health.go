package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/config"
)

func newHealth(a *app) *cobra.Command {
	var ready bool
	var at string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the running daemon whether it is alive; for container health checks.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := "/healthz"
			if ready {
				path = "/readyz"
			}
			if at == "" {
				var err error
				if at, err = a.metricsAddress(); err != nil {
					return err
				}
			}
			return a.health(cmd.Context(), at, path)
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "ask at this host:port, for example from another machine, instead of where the configuration says")
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether it is ready, not only alive")
	return cmd
}

// metricsAddress returns where the configuration has the daemon listen.
func (a *app) metricsAddress() (string, error) {
	cfg, problems := config.Load(a.config(), configKinds(), config.SyntaxOnly())
	if len(problems.Errors()) > 0 {
		return "", wrong(fmt.Errorf("the configuration %s has errors", a.config()), "rotad check names them")
	}
	return cfg.Listen.Metrics, nil
}

func (a *app) health(ctx context.Context, at, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at+path, nil)
	if err != nil {
		return wrong(err, "write host:port, in --at or as listen.metrics in the configuration")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return failed(fmt.Errorf("asking %s: %w", at, err), "is rotad running? systemctl status rotad")
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	if response.StatusCode != http.StatusOK {
		return failed(fmt.Errorf("%s: %s", path, strings.TrimSpace(string(body))), "")
	}
	_, err = fmt.Fprintln(a.out, "ok")
	return err
}
