package servers

import (
	"context"
	"os/exec"
)

// Chromium returns a browser without windows, and installs one where there is none.
func (c Cache) Chromium(ctx context.Context) (path string, err error) {
	for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome"} {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	const installed = "/usr/bin/chromium-headless-shell"
	return installed, c.debian(ctx, []string{installed}, "chromium-headless-shell", "fonts-dejavu-core")
}
