package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// InstallPython installs what requirements.txt pins into an environment of its own, once per content of the source,
// and returns the environment's Python. source is the directory of requirements.txt.
func InstallPython(ctx context.Context, cache Cache, source string) (string, error) {
	if _, err := exec.LookPath("python3"); err != nil {
		if err := cache.debian(ctx, []string{"/usr/bin/python3"}, "python3", "python3-venv"); err != nil {
			return "", err
		}
	}
	name, err := sourceName("python", source)
	if err != nil {
		return "", err
	}
	dir, err := cache.Once(ctx, name, func(ctx context.Context, dir string) error {
		raw, err := os.ReadFile(filepath.Join(source, "requirements.txt"))
		if err != nil {
			return fmt.Errorf("reading what is to be installed: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, "requirements.txt"), raw, 0o644); err != nil {
			return fmt.Errorf("copying what is to be installed: %w", err)
		}
		if err := run(ctx, dir, "python3", "-m", "venv", "--copies", "venv"); err != nil {
			return err
		}
		return run(ctx, dir, filepath.Join("venv", "bin", "python"), "-m", "pip", "install", "--no-deps", "--quiet", "--requirement", "requirements.txt")
	})
	return filepath.Join(dir, "venv", "bin", "python"), err
}
