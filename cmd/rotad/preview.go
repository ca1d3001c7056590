package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/notify"
)

func newPreview(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "preview [KIND...]",
		Short: "Write sample mails and calendar events, to look at; needs no configuration.",
		RunE: func(_ *cobra.Command, kinds []string) error {
			files, err := notify.Preview(dir, kinds...)
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
	return cmd
}
