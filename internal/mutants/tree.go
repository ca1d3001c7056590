package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// git runs git in the tree and returns what it says.
func git(ctx context.Context, tree string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", args...) //nolint:gosec // with arguments of this program
	c.Dir = tree
	text, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("asking git %s: %w", args[0], err)
	}
	return string(text), nil
}

// turn derives from the commit which mutants have their turn, so that all of them come round.
func turn(ctx context.Context, tree string, every int) (int, error) {
	commit, err := git(ctx, tree, "rev-parse", "HEAD")
	if err != nil {
		return 0, err
	}
	return turnOf(commit, every)
}

func turnOf(commit string, every int) (int, error) {
	n, err := strconv.ParseUint(commit[:min(8, len(commit))], 16, 64)
	if err != nil {
		return 0, fmt.Errorf("reading the commit %q: %w", strings.TrimSpace(commit), err)
	}
	return int(n % uint64(every)), nil //nolint:gosec // both are small
}

// files returns the paths of all that belongs to the tree: what git tracks, and what it would track.
func files(ctx context.Context, tree string) ([]string, error) {
	text, err := git(ctx, tree, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(text, func(r rune) bool { return r == 0 }), nil
}

// copyTree copies files into a fresh directory. One that git still tracks and somebody has deleted is left out.
func copyTree(from, to string, paths []string) error {
	for _, path := range paths {
		if err := copyFile(filepath.Join(from, path), filepath.Join(to, path)); err != nil {
			return fmt.Errorf("copying %s: %w", path, err)
		}
	}
	return nil
}

func copyFile(from, to string) error {
	info, err := os.Lstat(from)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err = os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return copyLink(from, to)
	}
	return copyBytes(from, to, info.Mode().Perm()|0o600)
}

func copyLink(from, to string) error {
	target, err := os.Readlink(from)
	if err != nil {
		return err
	}
	return os.Symlink(target, to)
}

func copyBytes(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from) //nolint:gosec // a file of the tree
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode) //nolint:gosec // in the scratch copy
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
