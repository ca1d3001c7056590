package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/templates"
)

// ownTemplates are the templates of a directory; no directory = none.
func ownTemplates(dir string) fs.FS {
	if dir == "" {
		return nil
	}
	return os.DirFS(dir)
}

// checkTemplates renders every mail with the templates of the configuration, and shows all that is wrong with them. It returns
// how much that is.
func checkTemplates(cfg *config.Config, out io.Writer) int {
	if cfg == nil || cfg.Templates == "" {
		return 0
	}
	err := notify.CheckTemplates(ownTemplates(cfg.Templates))
	if err == nil {
		return 0
	}
	lines := strings.Split(err.Error(), "\n")
	for _, line := range lines {
		_, _ = fmt.Fprintln(out, filepath.Join(cfg.Templates, line))
	}
	return len(lines)
}

// templateSources writes the embedded templates into a directory. What is there already stays: somebody may have changed it.
func (a *app) templateSources(dir string) error {
	for _, name := range templates.Files() {
		content, err := templates.Source(name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // nothing secret stands in them
			return failed(err, "")
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // as above
		if errors.Is(err, fs.ErrExist) {
			return refused(fmt.Errorf("%s is there already", path), "name a directory that is new")
		}
		if err != nil {
			return failed(err, "")
		}
		_, err = f.Write(content)
		if err = errors.Join(err, f.Close()); err != nil {
			return failed(err, "")
		}
		_, _ = fmt.Fprintln(a.out, path)
	}
	return nil
}
