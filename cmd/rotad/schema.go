package main

import (
	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/config"
)

func newSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := config.Schema(configKinds())
			if err != nil {
				return err
			}
			_, err = a.out.Write(append(schema, '\n'))
			return err
		},
	}
}
