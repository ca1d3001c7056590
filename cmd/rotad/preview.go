package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/stage"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/templates"
)

func newPreview(a *app) *cobra.Command {
	var dir, own, language, sources, serve string
	cmd := &cobra.Command{
		Use:   "preview [KIND...]",
		Short: "Write sample mails and calendar events, or serve them, to look at; needs no configuration.",
		RunE: func(cmd *cobra.Command, kinds []string) error {
			if sources != "" {
				return a.templateSources(sources)
			}
			if !slices.Contains(templates.Languages(), language) {
				return wrong(fmt.Errorf("rotad does not write %q", language), "there are: "+strings.Join(templates.Languages(), ", "))
			}
			if serve != "" {
				return a.servePreview(cmd.Context(), serve, ownTemplates(own), language)
			}
			files, err := notify.Preview(dir, ownTemplates(own), language, kinds...)
			if err != nil {
				return wrong(err, "rotad preview without a kind writes them all")
			}
			for _, f := range files {
				_, _ = fmt.Fprintln(a.out, f)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "out", "preview", "directory to write to")
	cmd.Flags().StringVar(&own, "templates", "", "directory with templates of your own")
	cmd.Flags().StringVar(&language, "language", templates.DefaultLanguage, "language of the samples: "+strings.Join(templates.Languages(), ", "))
	cmd.Flags().StringVar(&sources, "sources", "", "directory to write rotad's templates to instead, as a beginning for your own")
	cmd.Flags().StringVar(&serve, "serve", "", "loopback address to serve them at instead, such as 127.0.0.1:9850; loading a page again shows changed templates")
	return cmd
}

// servePreview serves the samples until the command is ended.
func (a *app) servePreview(ctx context.Context, address string, own fs.FS, language string) error {
	listener, err := stage.Listen(ctx, address)
	if err != nil {
		return wrong(err, "give --serve a loopback address and a free port, such as 127.0.0.1:9850")
	}
	server := &http.Server{Handler: notify.PreviewPage(own, language), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	_, _ = fmt.Fprintf(a.out, "http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return failed(err, "")
	}
	return nil
}
