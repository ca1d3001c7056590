package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// source is what a part measures: a commit, and what differs from it in the tree. The results and their page are what
// this program writes, and no source.
type source struct {
	commit  string
	changes map[string]string // by path from the top: git's two letters and a digest of what stands there
}

// written are the paths that are no source, as git wants to be told.
func written() []string {
	return []string{"--", ":/", ":(top,exclude)docs/proof", ":(top,exclude)docs/proof.md"}
}

// look reads which source the tree holds.
func look(ctx context.Context, top string) (source, error) {
	commit, err := git(ctx, top, "rev-parse", "HEAD")
	if err != nil {
		return source{}, err
	}
	status, err := git(ctx, top, append([]string{"status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"}, written()...)...)
	if err != nil {
		return source{}, err
	}
	s := source{commit: strings.TrimSpace(commit), changes: map[string]string{}}
	for entry := range strings.SplitSeq(status, "\x00") {
		if len(entry) > 3 { // two letters, a space, the path
			s.changes[entry[3:]] = entry[:2] + " " + digest(filepath.Join(top, entry[3:]))
		}
	}
	return s, nil
}

// digest tells apart what may stand at a path; what cannot be read is as good as gone.
func digest(path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return "gone"
	}
	text, err := os.ReadFile(path) //nolint:gosec // a path of the tree that was named
	if err != nil {
		return info.Mode().String()
	}
	return fmt.Sprintf("%s %x", info.Mode(), sha256.Sum256(text))
}

func (s source) dirty() bool { return len(s.changes) > 0 }

func (s source) names() string { return strings.Join(slices.Sorted(maps.Keys(s.changes)), ", ") }

// since says how the source has changed since a part began, nil where it has not. What the part leaves is no change.
func (s source) since(before source, p part) error {
	if s.commit != before.commit {
		return fmt.Errorf("the tree went from commit %s to %s meanwhile", brief(before.commit), brief(s.commit))
	}
	differ := maps.Clone(s.changes)
	maps.DeleteFunc(differ, func(path, is string) bool {
		return before.changes[path] == is || p.left(path, is)
	})
	for path, was := range before.changes {
		if s.changes[path] != was {
			differ[path] = was
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("the tree has changed meanwhile: %s", source{changes: differ}.names())
	}
	return nil
}

// left says whether a change is a file that was not there before and that the part may leave.
func (p part) left(path, change string) bool {
	return p.leaves != "" && strings.Contains("/"+path, "/"+p.leaves+"/") && strings.HasPrefix(change, "??")
}

// unchanged says whether a commit has the source of another. It does not where this clone does not know one of them.
func unchanged(ctx context.Context, top, from, to string) bool {
	_, err := git(ctx, top, append([]string{"diff", "--quiet", "--no-ext-diff", from, to}, written()...)...)
	return err == nil
}

func git(ctx context.Context, top string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", top}, args...)...) //nolint:gosec // arguments are ours
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking git for %s: %w", args[0], err)
	}
	return string(text), nil
}

// brief is enough of a commit to find it by.
func brief(commit string) string { return commit[:min(12, len(commit))] }
