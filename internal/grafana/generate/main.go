// Command generate writes the generated files of Grafana's provisioning into the tree that it is run in.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/rotad/rotad/internal/grafana"
)

// top is the top of the tree, from the directory in which go generate runs this.
const top = "../.."

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	rules, err := os.ReadFile(filepath.Join(top, grafana.Rules))
	if err != nil {
		return fmt.Errorf("reading the rules: %w", err)
	}
	files, err := grafana.Files(rules)
	if err != nil {
		return err
	}
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(top, path), text, 0o600); err != nil {
			return fmt.Errorf("writing a generated file: %w", err)
		}
	}
	return nil
}
