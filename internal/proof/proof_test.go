package proof_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

func sample() proof.Result {
	return proof.Result{
		Seeds: "1..1000000",
		Took:  9*time.Minute + 12*time.Second,
		Figures: []proof.Figure{
			{Name: "violations", Value: "0", Goal: "0", OK: true},
			{Name: "schedules", Value: "812,345"},
		},
	}
}

func TestWriteKeepsWhatWasMeasured(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "figures")
	t.Setenv(proof.Directory, dir)
	if err := proof.Write("sim", sample()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "sim.json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := proof.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, sample()) {
		t.Errorf("read back %+v, want %+v", got, sample())
	}
}

func TestWriteReplacesAnEarlierResultAndLeavesNothingBeside(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(proof.Directory, dir)
	for _, seeds := range []string{"1..10", "1..20"} {
		if err := proof.Write("sim", proof.Result{Seeds: seeds}); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d files, error %v, want the one result", len(entries), err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "sim.json"))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := proof.Decode(text); err != nil || r.Seeds != "1..20" {
		t.Errorf("seeds %q, error %v, want the later result", r.Seeds, err)
	}
}

func TestWriteDoesNothingWhereNobodyCollects(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv(proof.Directory, "")
	if err := proof.Write("Not a name, and nobody asks", sample()); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("%d files, error %v, want none", len(entries), err)
	}
}

func TestWriteRefusesANameThatLeavesTheDirectory(t *testing.T) {
	t.Setenv(proof.Directory, t.TempDir())
	for _, name := range []string{"", "../sim", "Sim", "sim.json", "-sim", "sim kills"} {
		if err := proof.Write(name, sample()); err == nil {
			t.Errorf("a part named %q was written", name)
		}
	}
}

func TestDecodeRefusesWhatEncodeDoesNotWrite(t *testing.T) {
	for _, text := range []string{``, `[]`, `{"took": "soon"}`, `{"figures": []}`, `{"took": 3}`} {
		if _, err := proof.Decode([]byte(text)); err == nil {
			t.Errorf("%s was read as a result", text)
		}
	}
}
