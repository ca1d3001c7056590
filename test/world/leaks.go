package world

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// secrets are the clear values that were seen. The zero value is ready.
type secrets struct {
	mu     sync.Mutex
	values []string
}

func (s *secrets) add(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(value) >= 8 && !slices.Contains(s.values, value) {
		s.values = append(s.values, value)
	}
}

func (s *secrets) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.values)
}

// outputs are the bytes that commands and endpoints gave out. The zero value is ready.
type outputs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *outputs) add(raw []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(raw)
}

// checkLeaks looks for every clear secret in every byte that left the daemon: its log, its state, what commands and
// endpoints said, and the mails to this scenario's people.
func (w *World) checkLeaks() {
	w.T.Helper()
	places := map[string][]byte{"the output of commands and endpoints": w.outputs.text.Bytes()}
	w.addFiles(places)
	w.addMails(places)
	for _, value := range w.values.all() {
		for place, raw := range places {
			if leaks(raw, value) {
				w.T.Errorf("a clear secret (%d bytes) stands in %s", len(value), place)
			}
		}
	}
}

func (w *World) addFiles(places map[string][]byte) {
	w.T.Helper()
	for _, start := range []string{w.Path("rotad.log"), w.Path("state")} {
		err := filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			places[filepath.Base(path)] = raw
			return err
		})
		if err != nil {
			w.T.Errorf("reading what the daemon wrote: %v", err)
		}
	}
}

func (w *World) addMails(places map[string][]byte) {
	w.T.Helper()
	if !w.postfix.made {
		return
	}
	mails, err := w.postfix.value.Mails("")
	if err != nil {
		w.T.Errorf("reading the mails: %v", err)
	}
	for _, m := range mails {
		if strings.HasPrefix(m.To, w.Name+".") {
			places["the mail "+m.Subject] = []byte(m.Raw + m.Text + m.HTML)
		}
	}
}

// leaks says whether a value stands in some bytes, plainly or in base64.
func leaks(raw []byte, value string) bool {
	if bytes.Contains(raw, []byte(value)) {
		return true
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(value))
	return bytes.Contains(raw, []byte(strings.TrimRight(encoded, "=")[:len(encoded)*3/4]))
}
