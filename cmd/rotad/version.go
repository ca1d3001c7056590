package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release and commit are set by the linker where a release is built, or an image, which has no repository to read them
// from. Otherwise they come from the build information.
var (
	release = "" //nolint:gochecknoglobals // the linker can set nothing else
	commit  = "" //nolint:gochecknoglobals // the linker can set nothing else
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit and Go version.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version, from := buildVersion()
			_, err := fmt.Fprintf(a.out, "rotad %s (commit %s, %s, %s/%s)\n", version, from, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func buildVersion() (version, from string) {
	version, from = release, commit
	info, ok := debug.ReadBuildInfo()
	if ok && version == "" {
		version = info.Main.Version
	}
	if ok && from == "" {
		from = revision(info)
	}
	return version, cmp.Or(from, "unknown")
}

// revision is the commit that the Go command has found beside the source.
func revision(info *debug.BuildInfo) string {
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}
