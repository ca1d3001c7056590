package tenant

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Progress is the small file by which a walk that was cut off goes on. It holds no secret.
type Progress struct {
	Provider string    `json:"provider"`        // name of the configured provider
	Began    time.Time `json:"began"`           // of the walk
	Written  int64     `json:"written"`         // bytes of the output that belong to the pages taken
	Task     string    `json:"task"`            // what the walk is for: another task begins anew
	Counts   Counts    `json:"counts,omitzero"` // of what was met so far
	Position
}

// Counts are what a walk has met.
type Counts struct {
	Credentials int `json:"credentials"`
	Without     int `json:"without"` // clients with none
	Never       int `json:"never"`
	Century     int `json:"century"`
	Expired     int `json:"expired"`
	LeftBehind  int `json:"left_behind"`
	Rotad       int `json:"rotad"`      // made by rotad, by their label
	Registered  int `json:"registered"` // clients on record
	Adopted     int `json:"adopted"`
	Ignored     int `json:"ignored"`
	Unmatched   int `json:"unmatched"`
	Refused     int `json:"refused"` // entries that a rule made and the configuration cannot take
}

// LoadProgress reads the file. ok is false where there is none.
func LoadProgress(file string) (p Progress, ok bool, err error) {
	data, err := os.ReadFile(file) //nolint:gosec // the file that the person names
	if errors.Is(err, fs.ErrNotExist) {
		return Progress{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		return Progress{}, false, fmt.Errorf("reading how far the walk is: %w", err)
	}
	return p, true, nil
}

// Save writes the file, whole or not at all.
func (p Progress) Save(file string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("writing how far the walk is: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".rotad-discover-*")
	if err != nil {
		return fmt.Errorf("writing how far the walk is: %w", err)
	}
	_, err = temp.Write(append(data, '\n'))
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return fmt.Errorf("writing how far the walk is: %w", err)
	}
	return nil
}
