package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// ownLogin is a login of rotad's own, and a file that it reads its secret from.
type ownLogin struct{ at, file string }

// The logins of rotad's own, as credential.Reload names them.
const (
	LoginVault    = "vault"
	LoginFurther  = "vault " // and the name of a further one
	LoginSMTP     = "smtp"
	LoginProvider = "provider " // and the name
)

// ownLogins finds what rotad logs in with, and where it reads that.
func (c *Config) ownLogins() []ownLogin {
	var out []ownLogin
	add := func(at string, settings any) {
		for _, file := range secretFiles(settings) {
			out = append(out, ownLogin{at, file})
		}
	}
	add(LoginVault, &c.Vault.Auth)
	for _, name := range sortedKeys(c.Vaults) {
		auth := c.Vaults[name].Auth
		add(LoginFurther+name, &auth)
	}
	if c.SMTP != nil {
		add(LoginSMTP, c.SMTP)
		add(LoginSMTP, c.SMTP.OAuth)
	}
	for _, p := range c.Providers {
		add(LoginProvider+p.Name, p.Settings)
	}
	return out
}

// LogsIn says whether the provider has settings for a secret of rotad's own, whether they are written or not.
func (p Provider) LogsIn() bool {
	for name := range textsOf(p.Settings) {
		if strings.HasSuffix(name, "_env") {
			return true
		}
	}
	return false
}

// OwnClient is the client id by which rotad itself logs in to the provider; empty = it has none there.
func (p Provider) OwnClient() string { return textsOf(p.Settings)["client_id"] }

// secretFiles returns the files that the secrets among settings are read from: each x_file that has an x_env beside it.
func secretFiles(settings any) []string {
	written := textsOf(settings)
	var files []string
	for _, name := range sortedKeys(written) {
		bare, isFile := strings.CutSuffix(name, "_file")
		if _, secret := written[bare+"_env"]; isFile && secret && written[name] != "" {
			files = append(files, written[name])
		}
	}
	return files
}

// loginsWith returns the logins for which rotad reads what is published to a place.
func (c *Config) loginsWith(d credential.Destination) []string {
	var at []string
	for _, own := range c.own {
		if d.File != nil && samePath(d.File.Path, own.file) && !slices.Contains(at, own.at) {
			at = append(at, own.at)
		}
	}
	return at
}

// samePath compares what the paths lead to as well: a secret is often a link to where it may be written.
func samePath(a, b string) bool {
	return filepath.Clean(a) == filepath.Clean(b) || followed(a) == followed(b)
}

// followed is where a path leads; one that leads nowhere yet is what it is.
func followed(path string) string {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		return at
	}
	return filepath.Clean(path)
}

// withLogins makes rotad the first consumer of what it logs in with itself: once the file holds the new secret, it logs in with
// that, and until this has succeeded the old one is kept. Nobody has to write the step, so nobody can forget it.
func (c *Config) withLogins(client credential.Client) []credential.Reload {
	var steps []credential.Reload
	for _, d := range client.Destinations {
		for _, at := range c.loginsWith(d) {
			steps = append(steps, credential.Reload{Name: "rotad-" + strings.ReplaceAll(at, " ", "-"), Login: at})
		}
	}
	isLogin := func(r credential.Reload) bool { return r.Login != "" }
	if len(steps) == 0 && !slices.ContainsFunc(client.Reloads, isLogin) {
		return client.Reloads
	}
	return append(steps, slices.DeleteFunc(slices.Clone(client.Reloads), isLogin)...)
}

// logins checks what rotad logs in with itself: it must be able to read it, and to come back from a lost reply.
func (c *Config) logins(found *complaint, client credential.Client) {
	for i, d := range client.Destinations {
		for _, at := range c.loginsWith(d) {
			path := fmt.Sprintf("destinations[%d].file", i)
			if d.File.Format != credential.FileRaw && d.File.Format != "" {
				found.add(path+".format", "rotad itself reads this file to log in to "+at+", and takes all of it for the secret", "write format: raw")
			}
			if client.AllowCut && at == LoginProvider+client.Provider {
				found.add("allow_cutover", "rotad logs in to this provider with this very secret: after a cutover whose reply was lost, nobody could read the new one back",
					"register it with a second provider block that has a login of its own, or leave allow_cutover out")
			}
		}
	}
}
