package main

import (
	"maps"
	"slices"

	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

// builtins answers the core's questions about built-in plugins from the two short lists that are compiled in. Without
// it the core panics when something is mounted.
type builtins struct {
	secrets map[string]logical.Factory
	logins  map[string]logical.Factory
}

func (b builtins) of(kind consts.PluginType) map[string]logical.Factory {
	switch kind {
	case consts.PluginTypeSecrets:
		return b.secrets
	case consts.PluginTypeCredential:
		return b.logins
	default:
		return nil
	}
}

// Contains says whether a plugin is compiled in.
func (b builtins) Contains(name string, kind consts.PluginType) bool {
	_, ok := b.of(kind)[name]
	return ok
}

// Get returns a function that returns the plugin's factory; the core wants it doubly wrapped.
func (b builtins) Get(name string, kind consts.PluginType) (func() (any, error), bool) {
	factory, ok := b.of(kind)[name]
	if !ok {
		return nil, false
	}
	return func() (any, error) { return factory, nil }, true
}

// Keys lists the plugins of a kind.
func (b builtins) Keys(kind consts.PluginType) []string {
	return slices.Sorted(maps.Keys(b.of(kind)))
}

// DeprecationStatus says that everything compiled in is supported.
func (b builtins) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, b.Contains(name, kind)
}

// IsBuiltinEntPlugin says that nothing here belongs to the Enterprise edition.
func (b builtins) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }
