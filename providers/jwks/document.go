package jwks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/rotad/rotad/internal/credential"
)

// maxSet is how many bytes of a published set are read.
const maxSet = 1 << 20

// set is a published JWK Set (RFC 7517 section 5). Members that rotad does not know are kept.
type set struct {
	Keys []json.RawMessage `json:"keys"`
}

// entry is what rotad reads of one key: RFC 7517 section 4 lets a set carry more members, which readers ignore.
type entry struct {
	ID    string `json:"kid"`
	Since int64  `json:"rotad_since,omitempty"` // seconds since 1970
	Label string `json:"rotad_label,omitempty"`
}

func (e entry) secret() credential.Secret {
	s := credential.Secret{ID: e.ID, Label: e.Label, Never: true}
	if e.Since > 0 {
		s.Start = time.Unix(e.Since, 0).UTC()
	}
	return s
}

var errSet = errors.New("the file is no JWK Set")

// decodeSet reads a set. A key without a kid has none that it could be dropped by, so the set is refused.
func decodeSet(raw []byte) (set, []entry, error) {
	var s set
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&s); err != nil || s.Keys == nil || len(bytes.TrimSpace(raw[d.InputOffset():])) > 0 {
		return set{}, nil, errSet
	}
	var entries []entry
	for _, key := range s.Keys {
		var e entry
		if err := json.Unmarshal(key, &e); err != nil || e.ID == "" || slices.ContainsFunc(entries, func(o entry) bool { return o.ID == e.ID }) {
			return set{}, nil, errSet
		}
		entries = append(entries, e)
	}
	return s, entries, nil
}

// published describes a public key as it is added to a set.
func published(key jose.JSONWebKey, since time.Time, label string) (json.RawMessage, error) {
	raw, err := key.MarshalJSON()
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	members["rotad_since"], members["rotad_label"] = since.Unix(), label
	return json.Marshal(members)
}

// file returns where the set of a client stands. Escaping makes one name of every id, and none that leaves the directory.
func (p *provider) file(client string) string {
	name := url.PathEscape(client)
	if strings.Trim(name, ".") == "" {
		name = strings.ReplaceAll(name, ".", "%2E")
	}
	return filepath.Join(p.directory, name+".json")
}

// load reads the set of a client; a file that is not there is an empty set.
func (p *provider) load(client string) (set, []entry, error) {
	f, err := os.Open(p.file(client))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, gone := os.Stat(p.directory); gone != nil {
			return set{}, nil, gone
		}
		return set{Keys: []json.RawMessage{}}, nil, nil
	case err != nil:
		return set{}, nil, err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxSet))
	if err != nil {
		return set{}, nil, err
	}
	s, entries, err := decodeSet(raw)
	if err != nil {
		return set{}, nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return s, entries, nil
}

// store replaces the set of a client whole: whoever reads meanwhile gets the one or the other, also after a power cut.
func (p *provider) store(client string, s set) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(p.directory, ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(append(raw, '\n'))
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil { // public keys: a web server reads them
		return err
	}
	if err := os.Rename(f.Name(), p.file(client)); err != nil {
		return err
	}
	return syncDirectory(p.directory)
}

func syncDirectory(name string) error {
	d, err := os.Open(name) //nolint:gosec // the configuration names it
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
