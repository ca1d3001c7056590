package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// InstallNPM installs what a package-lock.json pins, once per content of it, and returns the directory that holds
// node_modules. No script of a package is run. source is the directory of the lock file.
func InstallNPM(ctx context.Context, cache Cache, source string) (string, error) {
	if err := installNode(ctx, cache); err != nil {
		return "", err
	}
	name, err := sourceName("npm", source)
	if err != nil {
		return "", err
	}
	return cache.Once(ctx, name, func(ctx context.Context, dir string) error {
		for _, file := range []string{"package.json", "package-lock.json"} {
			raw, err := os.ReadFile(filepath.Join(source, file))
			if err != nil {
				return fmt.Errorf("reading what is to be installed: %w", err)
			}
			if err := os.WriteFile(filepath.Join(dir, file), raw, 0o644); err != nil {
				return fmt.Errorf("copying what is to be installed: %w", err)
			}
		}
		return run(ctx, dir, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	})
}

// installNode takes Debian's where there is no other.
func installNode(ctx context.Context, cache Cache) error {
	_, node := exec.LookPath("node")
	_, npm := exec.LookPath("npm")
	if node == nil && npm == nil {
		return nil
	}
	return cache.debian(ctx, []string{"/usr/bin/node", "/usr/bin/npm"}, "nodejs", "npm")
}
