package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// where the patches are, from the top of the tree.
const patches = "internal/mutants/patches"

// mutant is one deliberate break.
type mutant struct {
	name   string
	breaks string   // invariants, "I3, I6", "law", or "notices" (truth, once, on time)
	pkg    string   // of the test that has to kill it, "./scheduler"
	test   string   // its -run pattern
	dies   bool     // a panic of the test counts: the break is one that makes the program panic
	story  string   // where this happened for real
	source []string // links to it
	edits  []edit
}

var (
	invariant = regexp.MustCompile(`^(law|notices|I([1-9]|1[0-9]|20))(, (law|notices|I([1-9]|1[0-9]|20)))*$`)
	killer    = regexp.MustCompile(`^(\./\S+) (\S+)$`)
	link      = regexp.MustCompile(`^https://\S+$`)
)

// load reads all patches, in the order of their names.
func load(tree fs.FS) ([]mutant, error) {
	names, err := fs.Glob(tree, patches+"/*.patch")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []mutant
	for _, name := range names {
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, err
		}
		m, err := read(strings.TrimSuffix(path.Base(name), ".patch"), string(text))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", path.Base(name), err)
		}
		all = append(all, m)
	}
	return all, nil
}

// read takes a patch apart: the header, then the unified diff.
func read(file, text string) (mutant, error) {
	head, diff, found := strings.Cut(text, "\n--- ")
	if !found {
		return mutant{}, errors.New("there is no diff in it")
	}
	m, err := header(head)
	if err != nil {
		return m, err
	}
	if m.name != file {
		return m, fmt.Errorf("its name is %q, its file's %q", m.name, file)
	}
	m.edits, err = parseDiff("--- " + diff)
	return m, err
}

// header reads "Key: value" lines; a line that begins with a blank continues the one before.
func header(text string) (mutant, error) {
	var m mutant
	fields := map[string]string{}
	key := ""
	for line := range strings.SplitSeq(text, "\n") {
		if more := strings.TrimSpace(line); key != "" && more != line {
			fields[key] += " " + more
			continue
		}
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			return m, fmt.Errorf("a header line without a key: %q", line)
		}
		key = name
		fields[key] = value
	}
	m.name, m.breaks, m.story = fields["Name"], fields["Breaks"], fields["Story"]
	m.source, m.dies = strings.Fields(fields["Source"]), fields["Dies"] == "panic"
	by := killer.FindStringSubmatch(fields["Killer"])
	switch {
	case m.name == "" || len(m.story) < 60:
		return m, errors.New("the header needs Name and a Story")
	case !invariant.MatchString(m.breaks):
		return m, fmt.Errorf("what it breaks, %q, is neither of I1 to I20, law, notices", m.breaks)
	case by == nil:
		return m, fmt.Errorf("its killer, %q, is not a package and a pattern of its tests", fields["Killer"])
	case slices.ContainsFunc(m.source, func(s string) bool { return !link.MatchString(s) }):
		return m, fmt.Errorf("its sources, %q, are not all links", fields["Source"])
	}
	m.pkg, m.test = by[1], by[2]
	for name := range fields {
		if !slices.Contains([]string{"Name", "Breaks", "Killer", "Story", "Source", "Dies"}, name) {
			return m, fmt.Errorf("an unknown key in the header: %s", name)
		}
	}
	return m, nil
}
