package world

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/rotad/rotad/internal/canary"
)

// secrets are the clear values that were seen. The zero value is ready.
type secrets struct {
	ledger canary.Ledger

	mu    sync.Mutex
	short int    // values that are too short to be looked for
	notes []note // for the ledger of the whole run
}

// note is a value with a word for where it was seen.
type note struct{ what, value string }

// add notes a value; an empty one is none.
func (s *secrets) add(value string) { s.addAs("a value that the harness knows", value) }

// addAs notes a value with a word for where it was seen.
func (s *secrets) addAs(what, value string) {
	if value == "" {
		return
	}
	before := s.ledger.Len()
	n, err := s.ledger.Note(what, value)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.short++
	case n > before:
		s.notes = append(s.notes, note{what, value})
	}
}

// keep appends the values to the ledger of the whole run.
func (s *secrets) keep(dir, world string) error {
	all, err := canary.OpenLedger(filepath.Join(dir, canary.LedgerFile))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.notes {
		_, noted := all.Note(world+": "+n.what, n.value)
		err = errors.Join(err, noted)
	}
	return errors.Join(err, all.Close())
}

// CheckLeaks looks for every clear secret of this world, and for tokens that no list names, in every byte that left the
// daemon: its log, its state, what commands and endpoints said, and the mails to this scenario's people. Every scenario
// ends with it.
func (w *World) CheckLeaks() {
	w.T.Helper()
	w.noteFromServers()
	left := w.leftBehind()
	if dir := os.Getenv(canary.Directory); dir != "" {
		if err := w.values.keep(dir, w.Name); err != nil {
			w.T.Errorf("keeping the ledger: %v", err)
		}
	}
	w.judge(left)
}

// judge fails the scenario for every secret in a directory, and where nothing could be looked for or at.
func (w *World) judge(left string) {
	w.T.Helper()
	if w.values.short > 0 {
		w.T.Errorf("%d secrets are too short to be looked for (%v)", w.values.short, canary.ErrShort)
	}
	r, err := w.search(left)
	if err != nil {
		w.T.Errorf("looking for leaks: %v", err)
	}
	for _, hit := range r.Hits {
		w.T.Errorf("a clear secret left the daemon: %s", hit)
	}
	w.T.Logf("canary: %s: %d hits", r, len(r.Hits))
}

func (w *World) search(left string) (canary.Report, error) {
	s := canary.NewSearch(&w.values.ledger, w.values.ledger.Len())
	if err := errors.Join(s.Learn(), s.Files(left)); err != nil {
		return canary.Report{}, err
	}
	w.checkTokens(left)
	return s.Report()
}

// tokens are the marks of credentials that nobody can list: Vault's tokens, and signed ones (RFC 7519), which every
// identity provider hands out.
var tokens = regexp.MustCompile(`hv[sbr]\.[A-Za-z0-9_-]{20,}|eyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}`)

func (w *World) checkTokens(left string) {
	w.T.Helper()
	err := filepath.WalkDir(left, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, at := range tokens.FindAllIndex(raw, -1) {
			w.T.Errorf("a token of %d bytes left the daemon: %s: offset %d", at[1]-at[0], path, at[0])
		}
		return err
	})
	if err != nil {
		w.T.Errorf("reading what left the daemon: %v", err)
	}
}
