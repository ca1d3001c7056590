// Command generate writes the generated files of the Helm chart into the tree that it is run in.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rotad/rotad/internal/chart"
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
	settings, err := settings()
	if err != nil {
		return err
	}
	files, err := chart.Files(rules, settings)
	if err != nil {
		return err
	}
	for path, text := range files {
		path = filepath.Join(top, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return fmt.Errorf("making the directory of a generated file: %w", err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return fmt.Errorf("writing a generated file: %w", err)
		}
	}
	return nil
}

// settings asks rotad itself, because only the program knows all kinds of providers.
func settings() ([]byte, error) {
	cmd := exec.Command("go", "run", "./cmd/rotad", "schema") //nolint:noctx // ends with the generator
	cmd.Dir = top
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running rotad schema: %w", err)
	}
	return bytes.TrimSpace(out), nil
}
