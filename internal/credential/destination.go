package credential

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// Destination is another place that gets a copy of the published bundle, for consumers that do not read the client's path in
// Vault. Exactly one kind of place is set.
type Destination struct {
	Name       string           `json:"name"` // unique within the client
	File       *FilePlace       `json:"file,omitempty"`
	Kubernetes *KubernetesPlace `json:"kubernetes,omitempty"`
	Vault      *VaultPlace      `json:"vault,omitempty"`
	Exec       *ExecPlace       `json:"exec,omitempty"`
}

// Kind names the kind of place, empty if none is set.
func (d Destination) Kind() string {
	switch {
	case d.File != nil:
		return "file"
	case d.Kubernetes != nil:
		return "kubernetes"
	case d.Vault != nil:
		return "vault"
	case d.Exec != nil:
		return "exec"
	}
	return ""
}

// Place says where the copy goes, for people.
func (d Destination) Place() string {
	switch {
	case d.File != nil:
		return d.File.Path
	case d.Exec != nil:
		return strings.Join(d.Exec.Command, " ")
	case d.Kubernetes != nil:
		return d.Kubernetes.Namespace + "/" + d.Kubernetes.Secret
	case d.Vault != nil:
		return d.Vault.String()
	}
	return ""
}

// WantsOld says whether the old secret stands beside the new one while both are valid.
func (d Destination) WantsOld() bool {
	return d.File != nil && d.File.Previous != nil || d.Kubernetes != nil && d.Kubernetes.Previous != nil ||
		d.Vault != nil && d.Vault.Previous != nil || d.Exec != nil && d.Exec.Previous != nil
}

// FileFormat is how a file holds a bundle.
type FileFormat string

// The formats of a file.
const (
	FileRaw      FileFormat = "raw"      // one field's value and nothing else, as Docker mounts a secret
	FileEnv      FileFormat = "env"      // NAME=value lines
	FileJSON     FileFormat = "json"     // one object
	FileTemplate FileFormat = "template" // a text/template of the bundle
)

// FilePlace is a file on rotad's machine.
type FilePlace struct {
	Path     string            `json:"path"`               // absolute; its directory exists
	Format   FileFormat        `json:"format,omitempty"`   // empty = raw
	Field    string            `json:"field,omitempty"`    // raw: the field of the bundle; empty = client_secret
	Names    map[string]string `json:"names,omitempty"`    // env, json: field of the bundle to name in the file; empty = all fields, by their own names
	Previous map[string]string `json:"previous,omitempty"` // env, json: the same for the old bundle, while it is valid; nil = it is left out
	Template string            `json:"template,omitempty"` // template: its text
	Mode     string            `json:"mode,omitempty"`     // permissions in octal; empty = 0440
	Owner    string            `json:"owner,omitempty"`    // user[:group], names or numbers; empty = as created
}

// Permissions reads Mode. Others never get any.
func (f *FilePlace) Permissions() (fs.FileMode, error) {
	if f.Mode == "" {
		return 0o440, nil
	}
	n, err := strconv.ParseUint(f.Mode, 8, 32)
	switch {
	case err != nil || n > 0o777:
		return 0, fmt.Errorf("%q is no permission in octal, as 0440 is", f.Mode)
	case n&0o007 != 0:
		return 0, fmt.Errorf("%s lets everybody on this machine read the secret", f.Mode)
	}
	return fs.FileMode(n), nil
}

// Parsed reads Template. What it may use: the fields of the bundle by their names (.client_secret), .version, the old ones below
// .previous, which are empty when there is no old secret, and json, which quotes a value.
func (f *FilePlace) Parsed() (*template.Template, error) {
	return template.New("file").Option("missingkey=error").Funcs(template.FuncMap{"json": quoted}).Parse(f.Template)
}

func quoted(value any) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

func (f *FilePlace) equal(o *FilePlace) bool {
	if f == nil || o == nil {
		return f == o
	}
	return all(
		f.Path == o.Path, f.Format == o.Format, f.Field == o.Field, f.Template == o.Template, f.Mode == o.Mode, f.Owner == o.Owner,
		maps.Equal(f.Names, o.Names), maps.Equal(f.Previous, o.Previous), (f.Previous == nil) == (o.Previous == nil),
	)
}

func (d Destination) equal(o Destination) bool {
	return d.Name == o.Name && d.File.equal(o.File) && d.Kubernetes.equal(o.Kubernetes) && d.Vault.equal(o.Vault) && d.Exec.equal(o.Exec)
}

// ExecPlace is a program of the user's own that keeps the copy somewhere.
type ExecPlace struct {
	Command  []string          `json:"command"`            // an absolute path, and arguments; there is no shell
	Names    map[string]string `json:"names,omitempty"`    // field of the bundle to name there; empty = all fields, by their own names
	Previous map[string]string `json:"previous,omitempty"` // the same for the old bundle, while it is valid; nil = it is left out
}

func (e *ExecPlace) equal(o *ExecPlace) bool {
	if e == nil || o == nil {
		return e == o
	}
	return all(
		slices.Equal(e.Command, o.Command), maps.Equal(e.Names, o.Names), maps.Equal(e.Previous, o.Previous), (e.Previous == nil) == (o.Previous == nil),
	)
}

// Copy is what a destination is to hold: a bundle, under the fields' own names.
type Copy struct {
	Client   string // id, for what is written beside the values
	Version  int    // of the Vault path
	Bundle   Bundle
	Previous Bundle // the old one, while it is valid; nil = none
}

// FieldVersion is what a place can hold beside the fields of the bundle: the version of the Vault path. A consumer that reads
// the copy says it in its handshake.
const FieldVersion = "version"

// Fields returns what a place may name: the fields of the bundle, and the version where none of them is called so.
func (c Copy) Fields() Bundle {
	all := Bundle{FieldVersion: NewSensitive(strconv.Itoa(c.Version))}
	maps.Copy(all, c.Bundle)
	return all
}

// Named gives fields of the bundle, and of the old one beside it, the names that they have at a place. Without names all
// fields of the bundle have their usual ones. Errors name fields, never values.
func (c Copy) Named(names, previous map[string]string, usual func(field string) string) (map[string]Sensitive, error) {
	if len(names) == 0 {
		names = map[string]string{}
		for field := range c.Bundle {
			names[field] = usual(field)
		}
	}
	out := map[string]Sensitive{}
	if err := c.Fields().under(names, out); err != nil {
		return nil, err
	}
	for field, name := range previous {
		if _, taken := out[name]; taken { // said before there is an old one: in a rotation it would be late
			return nil, fmt.Errorf("the old %s has the name %q, which a field of the new one has: give it another", field, name)
		}
	}
	if c.Previous == nil {
		return out, nil
	}
	return out, c.Previous.under(previous, out)
}

func (b Bundle) under(names map[string]string, out map[string]Sensitive) error {
	for field, name := range names {
		value, err := b.Field(field)
		if err != nil {
			return err
		}
		out[name] = value
	}
	return nil
}

// Field returns the value of a field that has to be there.
func (b Bundle) Field(name string) (Sensitive, error) {
	value, ok := b[name]
	if !ok {
		return Sensitive{}, fmt.Errorf("the bundle has no field %q; it has %s", name, strings.Join(slices.Sorted(maps.Keys(b)), ", "))
	}
	return value, nil
}

// CopyState is what is known of the copy at one destination. Each has a pace of its own.
type CopyState struct {
	Name    string    `json:"name"`
	Version int       `json:"version,omitempty"` // Vault version that it was seen to hold; 0 = none yet
	Old     int       `json:"old,omitempty"`     // version of the old secret that stands beside it; 0 = none
	At      time.Time `json:"at,omitzero"`       // when that was seen last
	Look    time.Time `json:"look,omitzero"`     // the last look at the client before that; each look asks for another one
	Tries   int       `json:"tries,omitempty"`   // failures in a row
	Next    time.Time `json:"next,omitzero"`     // when it is tried again after a failure
	Since   time.Time `json:"since,omitzero"`    // of the first failure in a row
	Told    bool      `json:"told,omitzero"`     // its owner has heard of these failures
	Error   string    `json:"error,omitempty"`   // the last failure for people; never a value
}

// CopyAt returns what is known of a destination; the zero value with its name if nothing is.
func (r *Record) CopyAt(name string) CopyState {
	for i := range r.Copies {
		if r.Copies[i].Name == name {
			return r.Copies[i]
		}
	}
	return CopyState{Name: name}
}

// WithCopy returns what is known of the copies with one replaced, and without those of destinations that are no more. The
// record's own list is left alone: others may hold it.
func (r *Record) WithCopy(c CopyState) []CopyState {
	var out []CopyState
	for _, known := range r.Published().Destinations {
		if known.Name == c.Name {
			out = append(out, c)
		} else if have := r.CopyAt(known.Name); have != (CopyState{Name: known.Name}) {
			out = append(out, have)
		}
	}
	return out
}

// Published returns the client as its consumers see it: the pinned one while a rotation is under way.
func (r *Record) Published() *Client {
	if r.Rotation != nil {
		return &r.Rotation.Client
	}
	return &r.Client
}

func sameDestinations(a, b []Destination) bool {
	return slices.EqualFunc(a, b, func(x, y Destination) bool { return x.equal(y) })
}
