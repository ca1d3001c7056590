package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"
)

// Option changes how Load works.
type Option func(*loader)

// SyntaxOnly looks at neither files nor environment variables that the configuration names, so that a configuration can
// be checked far from where it will run. Included files are read all the same.
func SyntaxOnly() Option { return func(l *loader) { l.decoder.syntax = true } }

// At tells what time it is, for dates that may not be too far away: while loading, and whenever a client is checked later.
func At(now func() time.Time) Option { return func(l *loader) { l.config.now = now } }

// loader is one run of Load.
type loader struct {
	sink    *sink
	decoder *decoder
	kinds   map[string]Kind
	config  *Config
	index   Index
	file    root
	seen    map[string]bool // included files
}

// Load reads a configuration with all the files that it includes, and finds every mistake in one run. With errors the
// configuration is nil; with warnings it is usable. Problems are sorted by file and line.
func Load(file string, kinds []Kind, options ...Option) (*Config, Problems) {
	l := &loader{
		sink: newSink(), decoder: newDecoder(), kinds: map[string]Kind{},
		config: &Config{File: file}, seen: map[string]bool{},
	}
	for _, kind := range kinds {
		l.kinds[kind.Name] = kind
	}
	for _, option := range options {
		option(l)
	}
	if s, ok := parseFile(l.sink, file); ok {
		l.load(s)
	}
	problems := l.sink.problems.sorted()
	if problems.Err() != nil {
		return nil, problems
	}
	return l.config, problems
}

// load goes from what depends on nothing to clients, which depend on all the rest.
func (l *loader) load(s scope) {
	l.decoder.structs(s, reflectElem(&l.file))
	l.settings(s)
	l.vaults(l.file.Vaults.scope)
	l.providers(l.file.Providers.scope)
	l.policies(l.file.Policies.scope)
	l.channels(l.file.Channels.scope)
	l.owners(l.file.Owners.scope)
	l.ladders(l.file.Owners.scope)
	l.ways(s.child("admins"), l.file.Admins.Email, l.file.Admins.Channels, false)
	l.config.own = l.config.ownLogins()
	l.clients(l.file.Clients.scope)
	for i, pattern := range l.file.Include {
		l.include(s.child("include").index(i), pattern)
	}
}

// named calls yield for every section of a mapping from names to settings.
func (l *loader) named(s scope, yield func(name string, at scope)) {
	if isNull(s.node) {
		return
	}
	var sections map[string]block
	l.decoder.value(s, reflectElem(&sections), field{})
	for _, name := range sortedKeys(sections) {
		at := sections[name].scope
		if what := nameProblem(name); what != "" {
			at.complain(what, "letters, digits and . _ - : @ are allowed, a letter or digit first")
		}
		yield(name, at)
	}
}

func (l *loader) owners(s scope) {
	l.config.Owners = map[string]Owner{}
	l.named(s, func(name string, at scope) {
		var owner Owner
		l.decoder.structs(at, reflectElem(&owner))
		l.ways(at, owner.Email, owner.Channels, isNull(at.node) || at.node.Kind == yaml.MappingNode)
		owner.events(at.child("calendar"), l.config.Listen.Public)
		owner.calm(at)
		l.config.Owners[name] = owner
	})
}

// clients decodes a list of clients one by one, so that their number does not multiply the memory.
func (l *loader) clients(s scope) {
	if isNull(s.node) {
		return
	}
	var entries []block
	l.decoder.value(s, reflectElem(&entries), field{})
	for _, entry := range entries {
		at := entry.scope
		var settings clientSettings
		l.decoder.structs(at, reflectElem(&settings))
		if at.node.Kind != yaml.MappingNode {
			continue
		}
		client := l.config.WithDefaults(settings.client(fmt.Sprintf("%s:%d", at.file, at.line)))
		at.addAll(l.config.CheckClient(client))
		at.addAll(l.index.Add(client))
		l.config.remember(client)
		l.config.Clients = append(l.config.Clients, client)
	}
}

// include loads the files that a pattern names. Only a pattern with wildcards may match nothing.
func (l *loader) include(s scope, pattern string) {
	if pattern == "" {
		s.report("is empty", "write a file or a pattern such as clients.d/*.yaml")
		return
	}
	full := pattern
	if !filepath.IsAbs(full) {
		full = filepath.Join(filepath.Dir(s.file), pattern)
	}
	files, err := filepath.Glob(full)
	switch {
	case err != nil:
		s.report(fmt.Sprintf("%q is not a pattern for file names", pattern), "close the bracket, or escape it")
	case len(files) == 0 && hasWildcard(pattern):
		s.warn(fmt.Sprintf("no file matches %q", pattern), "")
	case len(files) == 0:
		s.report(fmt.Sprintf("the file %s does not exist", full), "")
	}
	for _, file := range files {
		l.includeFile(s, file)
	}
}

func hasWildcard(pattern string) bool {
	return slices.ContainsFunc([]rune(pattern), func(r rune) bool { return r == '*' || r == '?' || r == '[' })
}

// includeFile loads one included file, once, however many patterns name it.
func (l *loader) includeFile(s scope, file string) {
	if filepath.Clean(file) == filepath.Clean(l.config.File) {
		s.report("the configuration includes itself", "write a narrower pattern")
		return
	}
	if l.seen[file] {
		return
	}
	l.seen[file] = true
	at, ok := parseFile(l.sink, file)
	if !ok {
		return
	}
	var content included
	l.decoder.structs(at, reflectElem(&content))
	l.clients(content.Clients.scope)
}

// providers decodes the blocks of all providers, each by its kind.
func (l *loader) providers(s scope) {
	places := map[string]scope{}
	l.named(s, func(name string, at scope) {
		places[name] = at
		p := Provider{Name: name, Source: fmt.Sprintf("%s:%d", at.file, at.line)}
		l.provider(at, &p)
		l.config.Providers = append(l.config.Providers, p)
	})
	slices.SortFunc(l.config.Providers, func(a, b Provider) int { return cmp.Compare(a.Name, b.Name) })
	sharers(l.config.Providers, places)
}

// provider decodes one block. Without a known kind the rest of the block means nothing, so nothing is said about it.
func (l *loader) provider(s scope, p *Provider) {
	var common providerSettings
	targets := []reflect.Value{reflectElem(&common)}
	kind, known := l.kinds[kindOf(s)]
	if !known {
		unknownKind(s, sortedKeys(l.kinds))
		return
	}
	if kind.Settings != nil {
		p.Settings = kind.Settings()
		targets = append(targets, reflectElem(p.Settings))
	}
	l.decoder.structs(s, targets...)
	if kind.Validate != nil {
		kind.Validate(p.Settings, func(path, what, hint string) { s.at(path).report(what, hint) })
	}
	if kind.Unproven != nil {
		p.Unproven = common.proven(s, kind.Unproven(p.Settings))
	}
	common.check(s)
	p.Kind, p.Ref, p.Fields = kind.Name, kind.Ref, kind.Fields
	p.Deadline, p.Propagation = common.Deadline, common.Propagation
	p.Headers, p.Limits, p.Pace, p.Secret = common.Headers, common.Limits, common.pace(), secretsOf(p.Settings)
}

func kindOf(s scope) string {
	if kind := s.child("kind"); kind.written() {
		return kind.node.Value
	}
	return ""
}

// unknownKind says which kinds there are.
func unknownKind(s scope, known []string) {
	switch kind := kindOf(s); {
	case isNull(s.node) || s.node.Kind == yaml.MappingNode && kind == "":
		s.child("kind").report("is required", suggest("", known))
	case s.node.Kind != yaml.MappingNode:
		s.report("is "+describeNode(s.node)+", not a mapping", "write key: value")
	default:
		s.child("kind").report(fmt.Sprintf("there is no kind %q", kind), suggest(kind, known))
	}
}
