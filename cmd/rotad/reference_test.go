package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rotad/rotad/internal/reference"
)

func TestTheGeneratedReferenceIsCurrent(t *testing.T) {
	var kinds bytes.Buffer
	if err := (&app{out: &kinds, json: true}).listKinds(); err != nil {
		t.Fatal(err)
	}
	want, err := reference.Providers(kinds.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join("../..", reference.ProvidersPage)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: make generate (%v)", reference.ProvidersPage, err)
	}
}
