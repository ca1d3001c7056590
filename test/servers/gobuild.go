package servers

import (
	"context"
	"path/filepath"
)

// installTool builds a program that the module in a directory below servers/ pins with the directive tool.
func installTool(ctx context.Context, cache Cache, module, dir, pkg string, flags ...string) (string, error) {
	source := filepath.Join(module, "servers", filepath.FromSlash(dir))
	name := filepath.Base(source)
	build, err := sourceName(name, source)
	if err != nil {
		return "", err
	}
	into, err := cache.Once(ctx, build, func(ctx context.Context, into string) error {
		return buildIn(ctx, source, filepath.Join(into, name), pkg, flags...)
	})
	return filepath.Join(into, name), err
}
