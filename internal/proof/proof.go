package proof

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Directory is the environment variable that names the directory which Write writes to. Unset or empty means that
// nobody collects figures, which is how tests run every day.
const Directory = "ROTAD_PROOF"

// Result is what one part of the proof measured in one run at full size.
type Result struct {
	// Seeds says what the run's chance came from, ready to be passed again ("1..1000000"). Empty means that nothing
	// in the part is left to chance.
	Seeds string
	// Took is how long the part ran by the wall.
	Took time.Duration
	// Figures are the measurements, in the order in which the table shows them.
	Figures []Figure
}

// Figure is one measurement beside what it had to be.
type Figure struct {
	// Name says what was counted or timed.
	Name string
	// Value is the measurement with its unit.
	Value string
	// Goal is what the value had to be. Empty means that the figure is only reported.
	Goal string
	// OK says that the goal is met. The zero value is not: whoever measures has to say so.
	OK bool
}

// partName keeps a part's name fit for a file and for a row of the table.
var partName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// Write keeps a part's result as $ROTAD_PROOF/<part>.json, whole or not at all, and replaces an earlier one. Without the
// variable it does nothing. A part is named in lower case ("kills"); what is measured in several runs takes a suffix
// ("kills-keycloak") and stands below its part in the table.
//
// Errors: a name that does not fit, and whatever keeps the file from being written.
func Write(part string, r Result) error {
	dir := os.Getenv(Directory)
	if dir == "" {
		return nil
	}
	return Save(dir, part, r)
}

// Save is Write to a directory that is named, which is created where it is missing.
func Save(dir, part string, r Result) error {
	if !partName.MatchString(part) {
		return fmt.Errorf("naming the proof's part %q: want lower-case letters, digits and dashes", part)
	}
	text, err := Encode(r)
	if err != nil {
		return fmt.Errorf("encoding the result of %s: %w", part, err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil { //nolint:gosec // whoever collects figures names it
		return fmt.Errorf("making the directory of results: %w", err)
	}
	if err := Replace(filepath.Join(dir, part+".json"), text); err != nil {
		return fmt.Errorf("writing the result of %s: %w", part, err)
	}
	return nil
}

// Replace writes beside the file and renames, so that a reader never meets half a result.
func Replace(path string, text []byte) error {
	beside, err := os.CreateTemp(filepath.Dir(path), ".result-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(beside.Name()) }() //nolint:gosec // made right here
	_, err = beside.Write(text)
	if end := beside.Close(); err == nil {
		err = end
	}
	if err != nil {
		return err
	}
	return os.Rename(beside.Name(), path) //nolint:gosec // whoever collects figures names it
}

// file is how a result stands on disk.
type file struct {
	Seeds   string     `json:"seeds,omitempty"`
	Took    string     `json:"took"`
	Figures []inResult `json:"figures"`
}

type inResult struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Goal  string `json:"goal,omitempty"`
	OK    bool   `json:"ok"`
}

// Encode gives the text of a result's file. The same result gives the same bytes.
func Encode(r Result) ([]byte, error) {
	out := file{Seeds: r.Seeds, Took: r.Took.String(), Figures: []inResult{}}
	for _, f := range r.Figures {
		out.Figures = append(out.Figures, inResult(f))
	}
	text, err := json.MarshalIndent(out, "", "  ")
	return append(text, '\n'), err
}

// Decode reads the text of a result's file. Errors: text that Encode does not write.
func Decode(text []byte) (Result, error) {
	var in file
	if err := json.Unmarshal(text, &in); err != nil {
		return Result{}, fmt.Errorf("decoding a result: %w", err)
	}
	took, err := time.ParseDuration(in.Took)
	if err != nil {
		return Result{}, fmt.Errorf("decoding a result's time: %w", err)
	}
	r := Result{Seeds: in.Seeds, Took: took}
	for _, f := range in.Figures {
		r.Figures = append(r.Figures, Figure(f))
	}
	return r, nil
}
