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
}

// fileSettings is a file as it is written.
type fileSettings struct {
	// Path of the file, absolute. Its directory exists; the file is replaced by a rename.
	Path string `yaml:"path" json:"path" required:"true"`
	// Format of the file: raw (one value and nothing else, as Docker mounts a secret), env (NAME=value lines), json, or template.
	Format string `yaml:"format" json:"format" implied:"raw" enum:"raw,env,json,template"`
	// Field of the bundle that a raw file holds.
	Field string `yaml:"field" json:"field" implied:"client_secret"`
	// Names of the fields of the bundle in an env or json file, for example {client_secret: AUTH_CLIENT_SECRET}; not written = all fields, in capitals where the format is env.
	Names map[string]string `yaml:"names" json:"names"`
	// Previous gives the old secret names beside the new one, for as long as both are valid; not written = it is left out. For a template, {} makes it known as .previous.
	Previous map[string]string `yaml:"previous" json:"previous"`
	// Template is a Go text/template: {{.client_secret}}, {{.previous.client_secret}}, {{json .client_secret}}.
	Template string `yaml:"template" json:"template"`
	// Mode is the file's permissions in octal, in quotes. Others never get any.
	Mode string `yaml:"mode" json:"mode" implied:"0440"`
	// Owner of the file: user[:group], names or numbers; not written = as created.
	Owner string `yaml:"owner" json:"owner"`
}

func (c *clientSettings) destinations() []credential.Destination {
	var out []credential.Destination
	for _, d := range c.Destinations {
		one := credential.Destination{Name: d.Name}
		if f := d.File; f != nil {
			one.File = &credential.FilePlace{
				Path: f.Path, Format: credential.FileFormat(f.Format), Field: f.Field, Names: f.Names, Previous: f.Previous,
				Template: f.Template, Mode: f.Mode, Owner: f.Owner,
			}
		}
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
		if d.Kind() == "" {
			c.add(path, "names no place", "write file: {path: ...}")
			continue
		}
		c.name(path+".name", d.Name)
		if names[d.Name] {
			c.add(path+".name", fmt.Sprintf("is the second one of the name %q", d.Name), "give each destination of a client a name of its own")
		}
		if places[d.Place()] {
			c.add(path, fmt.Sprintf("is the second one that writes %s", d.Place()), "write one file once, with all that it has to hold")
		}
		names[d.Name], places[d.Place()] = true, true
		c.filePlace(path+".file", d.File)
	}
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
	c.distinct(path, f)
}

func (c *complaint) distinct(path string, f *credential.FilePlace) {
	taken := map[string]string{}
	for _, names := range []map[string]string{f.Names, f.Previous} {
		for _, field := range sortedKeys(names) {
			name := names[field]
			if f.Format == credential.FileEnv && !envName.MatchString(name) {
				c.add(path, fmt.Sprintf("%q is no name of a variable", name), "letters, digits and _ are allowed, no digit first")
			}
			if other := taken[name]; other != "" {
				c.add(path, fmt.Sprintf("%s and %s have the name %q", other, field, name), "give each a name of its own")
			}
			taken[name] = field
		}
	}
}
