package main

import (
	"errors"
	"strings"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
)

// notTaken is what is wrong with one client, under the names by which its settings were given.
type notTaken struct {
	problems config.Problems
	name     func(path string) string
}

const everyKey = "rotad add --help; docs/reference/configuration.md has every key"

// Error names every problem. The hint of a single one stands on the line of the hint.
func (n *notTaken) Error() string {
	list := make([]string, len(n.problems))
	for i, p := range n.problems {
		between := ": "
		switch {
		case p.Path == "":
			between = ""
		case strings.HasPrefix(p.What, "is "):
			between = " "
		}
		list[i] = clean(n.name(p.Path) + between + p.What)
		if p.Hint != "" && len(n.problems) > 1 {
			list[i] += ", " + p.Hint
		}
	}
	return strings.Join(list, "; ")
}

func (n *notTaken) hint() string {
	if len(n.problems) == 1 && n.problems[0].Hint != "" {
		return n.problems[0].Hint
	}
	return everyKey
}

// commandLine stands for the file where a client is described by flags.
const commandLine = "the command line"

// unreadableClient is the error of one client that is wrong in itself. A file is named with the lines.
func unreadableClient(problems config.Problems, file string) error {
	if file != commandLine {
		return wrong(errors.New(problems.String()), everyKey)
	}
	n := &notTaken{problems: problems, name: asWritten}
	return wrong(n, n.hint())
}

// rejection is the error of one client that the daemon has not taken.
func rejection(list []admin.Rejected) error {
	n := &notTaken{name: asWritten}
	code := exitRefused
	for _, r := range list {
		n.problems = append(n.problems, config.Problem{Path: r.Path, What: r.What, Hint: r.Hint})
		if !r.Conflict {
			code = exitWrong
		}
	}
	return &failure{code, n, n.hint()}
}

// asWritten names a setting as a file does.
func asWritten(path string) string { return path }

// named gives the settings in an error the names by which a person has given them: a file has keys, a command line flags.
func (f addFlags) named(err error) error {
	if n, ok := errors.AsType[*notTaken](err); ok && f.file == "" {
		n.name = asFlag
	}
	return err
}

// asFlag names a setting of a client as the command line does: vault.path is --vault-path, and ref.client_id is an entry
// of --ref.
func asFlag(path string) string {
	section, key, nested := strings.Cut(path, ".")
	_, field, _ := strings.Cut(key, ".")
	switch {
	case path == "":
		return ""
	case path == "id":
		return "ID"
	case section == "ref" && nested:
		return "--ref " + key
	case section == "labels":
		return strings.TrimSpace("--label " + key)
	case section == "vault" && strings.HasPrefix(key, "fields"):
		return strings.TrimSpace("--vault-field " + field)
	}
	return "--" + strings.NewReplacer(".", "-", "_", "-").Replace(path)
}
