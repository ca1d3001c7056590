package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/notify"
)

func newPreview(a *app) *cobra.Command {
	var dir, own, sources string
	cmd := &cobra.Command{
		Use:   "preview [KIND...]",
		Short: "Write sample mails and calendar events, to look at; needs no configuration.",
		RunE: func(_ *cobra.Command, kinds []string) error {
			if sources != "" {
				return a.templateSources(sources)
			}
			files, err := notify.Preview(dir, ownTemplates(own), kinds...)
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
	cmd.Flags().StringVar(&sources, "sources", "", "directory to write rotad's templates to instead, as a beginning for your own")
	return cmd
}
