package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// vaultPlaceSettings is a further path of a Vault as it is written.
type vaultPlaceSettings struct {
	// Vault is a name of vaults:; not written = rotad's own Vault.
	Vault string `yaml:"vault" json:"vault"`
	// Namespace of the path; not written = that of the Vault.
	Namespace string `yaml:"namespace" json:"namespace"`
	// Mount of the KV v2 engine; not written = that of the Vault.
	Mount string `yaml:"mount" json:"mount"`
	// Path below the mount. Only the keys of names and previous are rotad's; all others stay as they are.
	Path string `yaml:"path" json:"path" required:"true"`
	// Names of the fields of the bundle as keys there, for example {client_secret: password}, and of the version in Vault, as {version: secret_version}; not written = all fields, by their own names, without the version.
	Names map[string]string `yaml:"names" json:"names"`
	// Previous gives the old secret keys beside the new one, for as long as both are valid; not written = it is left out.
	Previous map[string]string `yaml:"previous" json:"previous"`
}

func (v *vaultPlaceSettings) place() *credential.VaultPlace {
	if v == nil {
		return nil
	}
	return &credential.VaultPlace{Vault: v.Vault, Namespace: v.Namespace, Mount: v.Mount, Path: v.Path, Names: v.Names, Previous: v.Previous}
}

func (c *complaint) vaultPlace(path string, v *credential.VaultPlace) {
	c.required(path+".path", v.Path)
	for _, part := range []struct{ key, text string }{{"path", v.Path}, {"mount", v.Mount}, {"namespace", v.Namespace}} {
		if what, hint := vaultPathProblem(part.text); part.text != "" && what != "" {
			c.add(path+"."+part.key, what, hint)
		}
	}
	if strings.HasPrefix(v.Path, "data/") {
		c.warn(path+".path", `begins with "data/"`, "KV v2 adds that by itself")
	}
	c.distinct(path, v.Names, v.Previous, func(name string) (what, hint string) {
		if name == "" {
			return "has an empty name", "name the key that a consumer reads"
		}
		return "", ""
	})
}

// vaults loads the further Vaults. Each Vault has one name: what keeps destinations off the paths of rotad's own goes by it.
func (l *loader) vaults(s scope) {
	l.config.Vaults = map[string]VaultServer{}
	known := map[string]string{l.config.Vault.Address: "vault"}
	l.named(s, func(name string, at scope) {
		var v VaultServer
		l.decoder.structs(at, reflectElem(&v))
		v.check(at)
		l.defaultJWT(at.child("auth"), &v.Auth)
		if other := known[v.Address]; other != "" && v.Address != "" {
			at.child("address").report("is the address of "+other+" as well", "destinations in one Vault go by one name; in rotad's own by none")
		}
		known[v.Address] = joinPath("vaults", name)
		l.config.Vaults[name] = v
	})
}

// withVaults gives destinations in Vaults the mount and the namespace of theirs.
func (c *Config) withVaults(list []credential.Destination) []credential.Destination {
	out := list
	for i, d := range list {
		if d.Vault == nil || d.Vault.Mount != "" && d.Vault.Namespace != "" {
			continue
		}
		in, ok := c.Vaults[d.Vault.Vault]
		if d.Vault.Vault == "" {
			in, ok = c.Vault.VaultServer, true
		}
		if !ok {
			continue
		}
		if &out[0] == &list[0] {
			out = slices.Clone(list)
		}
		place := *d.Vault
		if place.Mount == "" {
			place.Mount = in.Mount
		}
		if place.Namespace == "" {
			place.Namespace = in.Namespace
		}
		out[i].Vault = &place
	}
	return out
}

// vaults refuses destinations where rotad itself keeps something, or in a Vault that nobody knows.
func (c *complaint) vaults(cfg *Config, client *credential.Client) {
	for i, d := range client.Destinations {
		if d.Vault == nil {
			continue
		}
		path := fmt.Sprintf("destinations[%d].vault", i)
		_, known := cfg.Vaults[d.Vault.Vault]
		switch {
		case d.Vault.Vault == "":
			c.ownVault(path, cfg.Vault, client, d.Vault.At())
		case !known:
			c.unknownVault(path+".vault", d.Vault.Vault, slices.Collect(maps.Keys(cfg.Vaults)))
		}
	}
	if by := cfg.copied[client.Vault.Key()]; by != "" && client.Vault.Path != "" {
		c.add("vault.path", fmt.Sprintf("%s is where a destination of the client %s is written", client.Vault, by), "name a path of its own")
	}
}

func (c *complaint) ownVault(path string, v Vault, client *credential.Client, at credential.VaultPath) {
	switch {
	case at.Path != "" && at.Key() == client.Vault.Key():
		c.add(path+".path", "is the path that consumers of this client read already", "leave the destination out, or name another path")
	case v.stages(at):
		c.add(path+".path", fmt.Sprintf("lies in the staging path %q", v.Staging), "rotad keeps there what a rotation holds in hand")
	}
}

func (c *complaint) unknownVault(path, name string, known []string) {
	hint := suggest(name, known)
	if hint == "" {
		hint = "write it under vaults:, or leave this out for rotad's own"
	}
	c.add(path, fmt.Sprintf("there is no vault %q", name), hint)
}

// stages says whether a path is the staging path, or below it.
func (v *Vault) stages(p credential.VaultPath) bool {
	same := p.Mount == v.Mount && p.Namespace == v.Namespace
	return same && (p.Path == v.Staging || strings.HasPrefix(p.Path, v.Staging+"/"))
}

// remember notes where in rotad's own Vault a client has destinations: no client may publish there.
func (c *Config) remember(client credential.Client) {
	for _, d := range client.Destinations {
		if d.Vault == nil || d.Vault.Vault != "" {
			continue
		}
		if c.copied == nil {
			c.copied = map[string]string{}
		}
		c.copied[d.Vault.At().Key()] = client.ID
	}
}
