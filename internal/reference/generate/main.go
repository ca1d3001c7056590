// Command generate writes the generated pages of docs/reference into the tree that it is run in.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rotad/rotad/internal/reference"
)

// top is the top of the tree, from the directory in which go generate runs this.
const top = "../.."

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run asks rotad itself, because only the program knows all kinds of providers.
func run() error {
	cmd := exec.Command("go", "run", "./cmd/rotad", "kinds", "--json") //nolint:noctx // ends with the generator
	cmd.Dir = top
	cmd.Stderr = os.Stderr
	kinds, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("running rotad kinds: %w", err)
	}
	page, err := reference.Providers(kinds)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(top, reference.ProvidersPage), page, 0o600); err != nil {
		return fmt.Errorf("writing a generated page: %w", err)
	}
	return nil
}
