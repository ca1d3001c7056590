package canary

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

// Hit is a place where a secret stands. It never holds the secret.
type Hit struct {
	File   string
	Offset int64  // of its first byte
	Secret int    // its number in the ledger
	What   string // what it opens
	Shape  string // how it is written there
	Part   bool   // only its beginning stands there
}

// String says where which secret stands.
func (h Hit) String() string {
	part := ""
	if h.Part {
		part = "the beginning of "
	}
	return fmt.Sprintf("%s: offset %d: %ssecret #%d of the ledger (%s), %s", h.File, h.Offset, part, h.Secret, h.What, h.Shape)
}

// Report is what a search has seen so far.
type Report struct {
	Secrets int   // that were looked for
	Files   int   // that are not empty
	Bytes   int64 // unpacked ones included
	Hits    []Hit // by file and offset
}

// Report returns what was found so far. The error says that it proves nothing: ErrNoSecrets or ErrNoBytes.
func (s *Search) Report() (Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.report
	r.Secrets = s.learnt
	r.Hits = slices.Clone(r.Hits)
	slices.SortStableFunc(r.Hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Offset, b.Offset))
	})
	var err error
	if r.Secrets == 0 {
		err = ErrNoSecrets
	}
	if r.Bytes == 0 {
		err = errors.Join(err, ErrNoBytes)
	}
	return r, err
}

// String says what was searched, without the hits.
func (r Report) String() string {
	return fmt.Sprintf("%d secrets in %d files, %d bytes", r.Secrets, r.Files, r.Bytes)
}

// Proof returns the figures of a report whose search took so long, for the table of the proof. Others may be added.
func (r Report) Proof(took time.Duration) proof.Result {
	return proof.Result{Took: took, Figures: []proof.Figure{
		{Name: "secrets", Value: strconv.Itoa(r.Secrets), OK: true},
		{Name: "bytes searched", Value: fmt.Sprintf("%.1f MB", float64(r.Bytes)/1e6), OK: true},
		{Name: "speed", Value: fmt.Sprintf("%.0f MB/s", float64(r.Bytes)/1e6/max(took.Seconds(), 1e-9)), OK: true},
		{Name: "hits", Value: strconv.Itoa(len(r.Hits)), Goal: "0", OK: len(r.Hits) == 0},
	}}
}
