package config

import (
	"fmt"
	"path/filepath"
	"regexp"

	"github.com/rotad/rotad/internal/credential"
)

// destinationSettings is another place that gets a copy of what is published, as it is written.
type destinationSettings struct {
	// Name of the place, unique within the client; not written = the kind of place.
	Name string `yaml:"name" json:"name"`
	// File is a file on rotad's machine.
	File *fileSettings `yaml:"file" json:"file"`
	// Kubernetes is a Secret in a cluster.
	Kubernetes *kubernetesSettings `yaml:"kubernetes" json:"kubernetes"`
	// Vault is another path of rotad's own Vault, or of a further one.
	Vault *vaultPlaceSettings `yaml:"vault" json:"vault"`
	// Exec is a program of your own that keeps the copy somewhere.
	Exec *execSettings `yaml:"exec" json:"exec"`
}

// execSettings is a program as it is written.
type execSettings struct {
	// Command is the program by its absolute path, and its arguments. There is no shell; the values are on its stdin, as JSON.
	Command []string `yaml:"command" json:"command" required:"true"`
	// Names of the fields of the bundle there, for example {client_secret: password}; not written = all fields, by their own names.
	Names map[string]string `yaml:"names" json:"names"`
	// Previous gives the old secret names beside the new one, for as long as both are valid; not written = it is left out.
	Previous map[string]string `yaml:"previous" json:"previous"`
}

func (e *execSettings) place() *credential.ExecPlace {
	if e == nil {
		return nil
	}
	return &credential.ExecPlace{Command: e.Command, Names: e.Names, Previous: e.Previous}
}

func (c *complaint) execPlace(path string, e *credential.ExecPlace) {
	if len(e.Command) == 0 || !filepath.IsAbs(e.Command[0]) {
		c.add(path+".command", "names no program by its absolute path", "there is no shell, and no search path")
	}
	c.distinct(path, e.Names, e.Previous, func(string) (what, hint string) { return "", "" })
}

// fileSettings is a file as it is written.
type fileSettings struct {
	// Path of the file, absolute. Its directory exists; the file is replaced by a rename.
	Path string `yaml:"path" json:"path" required:"true"`
	// Format of the file: raw (one value and nothing else, as Docker mounts a secret), env (NAME=value lines), json, or template.
	Format string `yaml:"format" json:"format" implied:"raw" enum:"raw,env,json,template"`
	// Field of the bundle that a raw file holds.
	Field string `yaml:"field" json:"field" implied:"client_secret"`
	// Names of the fields of the bundle in an env or json file, for example {client_secret: AUTH_CLIENT_SECRET}, and of the version in Vault, as {version: AUTH_VERSION}; not written = all fields, in capitals where the format is env, without the version.
	Names map[string]string `yaml:"names" json:"names"`
	// Previous gives the old secret names beside the new one, for as long as both are valid; not written = it is left out. For a template, {} makes it known as .previous.
	Previous map[string]string `yaml:"previous" json:"previous"`
	// Template is a Go text/template: {{.client_secret}}, {{.previous.client_secret}}, {{.version}}, {{json .client_secret}}.
	Template string `yaml:"template" json:"template"`
	// Mode is the file's permissions in octal, in quotes. Others never get any.
	Mode string `yaml:"mode" json:"mode" implied:"0440"`
	// Owner of the file: user[:group], names or numbers; not written = as created.
	Owner string `yaml:"owner" json:"owner"`
}

func (f *fileSettings) place() *credential.FilePlace {
	if f == nil {
		return nil
	}
	return &credential.FilePlace{
		Path: f.Path, Format: credential.FileFormat(f.Format), Field: f.Field, Names: f.Names, Previous: f.Previous,
		Template: f.Template, Mode: f.Mode, Owner: f.Owner,
	}
}

func (c *clientSettings) destinations() []credential.Destination {
	var out []credential.Destination
	for _, d := range c.Destinations {
		one := credential.Destination{Name: d.Name, File: d.File.place(), Kubernetes: d.Kubernetes.place(), Vault: d.Vault.place(), Exec: d.Exec.place()}
		if one.Name == "" {
			one.Name = one.Kind()
		}
		out = append(out, one)
	}
	return out
}

// destinations checks the further places of a client: their names tell them apart for ever, and two that are the same place
// would overwrite each other.
func (c *complaint) destinations(list []credential.Destination) {
	names, places := map[string]bool{}, map[string]bool{}
	for i, d := range list {
		path := fmt.Sprintf("destinations[%d]", i)
		c.place(path, d)
		if d.Kind() == "" {
			continue
		}
		c.name(path+".name", d.Name)
		if names[d.Name] {
			c.add(path+".name", fmt.Sprintf("is the second one of the name %q", d.Name), "give each destination of a client a name of its own")
		}
		place := placeKey(d)
		if places[place] {
			c.add(path, fmt.Sprintf("is the second one that writes %s", d.Place()), "write one place once, with all that it has to hold")
		}
		names[d.Name], places[place] = true, true
	}
}

// place checks that a destination names exactly one place, and that one.
func (c *complaint) place(path string, d credential.Destination) {
	switch {
	case count(d.File != nil, d.Kubernetes != nil, d.Vault != nil, d.Exec != nil) > 1:
		c.add(path, "names two places", "make it two destinations, each with a name of its own")
	case d.File != nil:
		c.filePlace(path+".file", d.File)
	case d.Kubernetes != nil:
		c.kubernetesPlace(path+".kubernetes", d.Kubernetes)
	case d.Vault != nil:
		c.vaultPlace(path+".vault", d.Vault)
	case d.Exec != nil:
		c.execPlace(path+".exec", d.Exec)
	default:
		c.add(path, "names no place", "write file: {path: ...}, kubernetes: {namespace: ..., secret: ...}, vault: {path: ...} or exec: {command: [...]}")
	}
}

func count(conditions ...bool) (n int) {
	for _, yes := range conditions {
		if yes {
			n++
		}
	}
	return n
}

// placeKey tells places apart: Secrets of one name in two clusters are two, as are paths in two namespaces.
func placeKey(d credential.Destination) string {
	key := d.Kind() + "\x00" + d.Place()
	if k := d.Kubernetes; k != nil {
		key += "\x00" + k.Kubeconfig + "\x00" + k.Context
	}
	if v := d.Vault; v != nil {
		key += "\x00" + v.At().Key()
	}
	return key
}

func (c *complaint) filePlace(path string, f *credential.FilePlace) {
	if !filepath.IsAbs(f.Path) || filepath.Clean(f.Path) != f.Path {
		c.add(path+".path", fmt.Sprintf("%q is no absolute path in its shortest form", f.Path), "")
	}
	c.oneOf(path+".format", string(f.Format), []string{"raw", "env", "json", "template"})
	if _, err := f.Permissions(); err != nil {
		c.add(path+".mode", err.Error(), `write the octal digits in quotes, as "0440" is`)
	}
	c.fileNames(path, f)
	if (f.Template != "") != (f.Format == credential.FileTemplate) {
		c.add(path+".template", "belongs to the format template, and that to it", "")
	}
	if _, err := f.Parsed(); err != nil {
		c.add(path+".template", err.Error(), "")
	}
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// fileNames checks what would overwrite something else in the file, or would never be used.
func (c *complaint) fileNames(path string, f *credential.FilePlace) {
	lines := f.Format == credential.FileEnv || f.Format == credential.FileJSON
	switch {
	case f.Names != nil && !lines:
		c.add(path+".names", "is used by the formats env and json only", "")
	case len(f.Previous) > 0 && !lines:
		c.add(path+".previous", "has names, which the formats env and json only use", "for a template write previous: {}")
	case f.Field != "" && f.Format != credential.FileRaw && f.Format != "":
		c.add(path+".field", "is used by the format raw only", "")
	}
	c.distinct(path, f.Names, f.Previous, func(name string) (what, hint string) {
		if f.Format == credential.FileEnv && !envName.MatchString(name) {
			return fmt.Sprintf("%q is no name of a variable", name), "letters, digits and _ are allowed, no digit first"
		}
		return "", ""
	})
}

// distinct checks the names that fields get at a place: each is one that the place takes, and none would overwrite another.
func (c *complaint) distinct(path string, names, previous map[string]string, problem func(name string) (what, hint string)) {
	taken := map[string]string{}
	for _, named := range []map[string]string{names, previous} {
		for _, field := range sortedKeys(named) {
			name := named[field]
			if what, hint := problem(name); what != "" {
				c.add(path, what, hint)
			}
			if other := taken[name]; other != "" {
				c.add(path, fmt.Sprintf("%s and %s have the name %q", other, field, name), "give each a name of its own")
			}
			taken[name] = field
		}
	}
}
