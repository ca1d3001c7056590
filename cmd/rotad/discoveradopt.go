package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/tenant"
	"github.com/rotad/rotad/providers"
)

// adopting writes a part of the configuration that registers clients by rules. The configuration stays the one register:
// nothing is registered before somebody includes the file, and nothing is rotated by that.
type adopting struct {
	rules []config.AdoptRule
	named map[string]bool // refs of the clients of the configuration and of those adopted so far
	index config.Index    // of what must be unique: the clients of the configuration, and those adopted so far
	told  int             // problems that were shown
}

// shownProblems is how many clients that cannot be adopted are named; the rest is counted.
const shownProblems = 20

func newAdopting(d *discovery) (*adopting, error) {
	rules, problems := d.cfg.LoadAdoptRules(d.f.adopt)
	if errs := problems.Errors(); len(errs) > 0 {
		for _, p := range problems {
			_, _ = fmt.Fprintln(d.err, clean(p.String()))
		}
		return nil, wrong(fmt.Errorf("%s in %s", counted(len(errs), "error"), d.f.adopt), "docs/reference/discover.md has every key")
	}
	for _, r := range rules {
		if what, hint, unasked := d.cfg.Unasked(d.provider.Name, r.Policy); unasked && !r.Ignore {
			return nil, wrong(fmt.Errorf("%s: %s", r.Source(), what), hint)
		}
	}
	a := &adopting{rules: rules, named: map[string]bool{}}
	for _, c := range d.cfg.Clients {
		a.index.Add(c)
		if c.Provider == d.provider.Name {
			a.named[c.Ref.Canonical()] = true
		}
	}
	return a, a.takeUp(d)
}

// takeUp remembers what a walk that was cut off has adopted already.
func (a *adopting) takeUp(d *discovery) error {
	at, found, err := tenant.LoadProgress(d.f.progress)
	if err != nil || !found || d.f.to == "" {
		return nil //nolint:nilerr // open says what is wrong with the file
	}
	file, err := os.Open(d.f.to + part)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // open says that it is missing
	}
	if err != nil {
		return failed(err, "delete "+d.f.progress+" to begin again")
	}
	defer func() { _ = file.Close() }()
	lines, taken := bufio.NewReader(file), int64(0)
	for taken < at.Written {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil //nolint:nilerr // open says that the file is too short
		}
		taken += int64(len(line))
		if entry, ok := bytes.CutPrefix(line, []byte(entryBegins)); ok {
			_, err = config.DecodeClients(bytes.NewReader(entry), "adopted.ndjson", func(c credential.Client, _ int) error {
				a.index.Add(d.cfg.WithDefaults(c))
				a.named[c.Ref.Canonical()] = true
				return nil
			})
			if err != nil {
				return failed(err, "delete "+d.f.progress+" to begin again")
			}
		}
	}
	return nil
}

// entryBegins begins the line of every adopted client.
const entryBegins = "  - "

func (a *adopting) take(d *discovery, c providers.Listed) error {
	d.at.Counts.Count(d.judge.Rows(c))
	counts := &d.at.Counts
	if _, registered := d.records.find(c.Ref); registered || c.Unusable != "" || a.named[c.Ref.Canonical()] {
		return nil
	}
	if own := d.provider.OwnClient(); own != "" && own == c.Snapshot.ClientID {
		d.note(clean(own) + " is left out: it is rotad's own account, which has to be handed to rotad as well (docs/reference/own-credentials.md)")
		return nil
	}
	candidate := config.Candidate{
		Provider: d.provider.Name, Ref: c.Ref, Name: c.Name, ClientID: c.Snapshot.ClientID, Tags: c.Tags, Owners: c.Owners,
	}
	rule, ok := config.Decide(a.rules, candidate)
	switch {
	case !ok:
		counts.Unmatched++
		return nil
	case rule.Ignore:
		counts.Ignored++
		return nil
	}
	client, line, problems := d.cfg.Entry(rule, candidate)
	if errs := problems.Errors(); len(errs) == 0 {
		problems = a.index.Add(client)
	}
	if errs := problems.Errors(); len(errs) > 0 {
		counts.Refused++
		a.refuse(d, c, rule, errs[0])
		return nil
	}
	if counts.Adopted == 0 {
		if _, err := fmt.Fprintf(d.out, "# Adopted from %s by the rules in %s. Registered, not rotated.\nclients:\n", d.provider.Name, filepath.Base(d.f.adopt)); err != nil {
			return err
		}
	}
	counts.Adopted++
	a.named[c.Ref.Canonical()] = true // a walk may meet it again
	_, err := fmt.Fprintf(d.out, "%s%s\n", entryBegins, line)
	return err
}

// refuse names a client that a rule fits and the configuration cannot take.
func (a *adopting) refuse(d *discovery, c providers.Listed, rule config.AdoptRule, p config.Problem) {
	if a.told++; a.told > shownProblems {
		return
	}
	_, _ = fmt.Fprintf(d.err, "%s: %s: not adopted: %s: %s\n", rule.Source(), clean(c.Ref.Canonical()), p.Path, clean(p.What))
}

func (a *adopting) end(d *discovery) error {
	if d.at.Counts.Adopted > 0 {
		return nil
	}
	_, err := fmt.Fprintln(d.out, "# No client was adopted.\nclients: []")
	return err
}

// adopted says what has come of the rules, and what is left to do.
func (d *discovery) adopted() error {
	c := d.at.Counts
	_, _ = fmt.Fprintf(d.err, "%s adopted, %d ignored, %d that no rule matches, %d that the configuration cannot take\n", counted(c.Adopted, "client"), c.Ignored, c.Unmatched, c.Refused)
	switch {
	case c.Refused > 0:
		return refused(fmt.Errorf("not adopted: %s, which the lines above name", counted(c.Refused, "client")), "names need not be unique at a provider: write {client_id} in id: and vault: path: of the rule")
	case d.f.to != "" && c.Adopted > 0:
		d.note("nothing is registered yet: include: in " + d.cfg.File + " has to name " + d.f.to + "; then rotad check, and let the daemon reload")
	}
	return nil
}
