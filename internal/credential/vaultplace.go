package credential

import (
	"maps"
	"slices"
)

// VaultPlace is a path of a KV v2 mount beside the one that consumers of the client read. Only the keys of Names and Previous
// are rotad's: others live beside them.
type VaultPlace struct {
	Vault     string            `json:"vault,omitempty"`     // name of a further Vault of the configuration; empty = rotad's own
	Namespace string            `json:"namespace,omitempty"` // empty = the one configured for that Vault
	Mount     string            `json:"mount,omitempty"`     // empty = the one configured for that Vault
	Path      string            `json:"path"`                // below the mount, without "data/"
	Names     map[string]string `json:"names,omitempty"`     // field of the bundle to key there; empty = all fields, by their own names
	Previous  map[string]string `json:"previous,omitempty"`  // the same for the old bundle, while it is valid; nil = it is left out
}

// At is the path as Vault's client takes it.
func (v *VaultPlace) At() VaultPath {
	return VaultPath{Namespace: v.Namespace, Mount: v.Mount, Path: v.Path}
}

// String says where it is, for people.
func (v *VaultPlace) String() string {
	if v.Vault == "" {
		return v.At().String()
	}
	return v.Vault + ":" + v.At().String()
}

func (v *VaultPlace) equal(o *VaultPlace) bool {
	if v == nil || o == nil {
		return v == o
	}
	return all(
		v.Vault == o.Vault, v.Namespace == o.Namespace, v.Mount == o.Mount, v.Path == o.Path,
		maps.Equal(v.Names, o.Names), maps.Equal(v.Previous, o.Previous), (v.Previous == nil) == (o.Previous == nil),
	)
}

// Keys are what a place is to hold where others keep keys beside rotad's.
type Keys struct {
	Values map[string]Sensitive
	Gone   []string // keys of the old secret while there is none: the place does not have them; sorted
}

// Keys returns what a place with these names is to hold.
func (c Copy) Keys(names, previous map[string]string) (Keys, error) {
	values, err := c.Named(names, previous, func(field string) string { return field })
	if err != nil {
		return Keys{}, err
	}
	k := Keys{Values: values}
	for _, key := range slices.Sorted(maps.Values(previous)) {
		if _, there := values[key]; !there {
			k.Gone = append(k.Gone, key)
		}
	}
	return k, nil
}
