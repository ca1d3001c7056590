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
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the running daemon whether it is alive; for container health checks.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := "/healthz"
			if ready {
				path = "/readyz"
			}
			return a.health(cmd.Context(), path)
		},
	}
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether it is ready, not only alive")
	return cmd
}

func (a *app) health(ctx context.Context, path string) error {
	cfg, problems := config.Load(a.config(), configKinds(), config.SyntaxOnly())
	if len(problems.Errors()) > 0 {
		return wrong(fmt.Errorf("the configuration %s has errors", a.config()), "rotad check names them")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cfg.Listen.Metrics+path, nil)
	if err != nil {
		return wrong(err, "see listen.metrics in the configuration")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return failed(fmt.Errorf("asking %s: %w", cfg.Listen.Metrics, err), "is rotad running? systemctl status rotad")
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	if response.StatusCode != http.StatusOK {
		return failed(fmt.Errorf("%s: %s", path, strings.TrimSpace(string(body))), "")
	}
	_, err = fmt.Fprintln(a.out, "ok")
	return err
}
