package snowflake

import (
	"cmp"
	"regexp"
)

// Settings of a provider of this kind.
type Settings struct {
	// URL of the account.
	URL string `yaml:"url" required:"true" format:"url" doc:"URL of the account, https://ORGANIZATION-ACCOUNT.snowflakecomputing.com."`
	// TokenFile holds a programmatic access token; it is read again after a refusal.
	TokenFile string `yaml:"token_file" doc:"File with a programmatic access token; read again after a refusal."`
	// TokenEnv is the environment variable that holds it.
	TokenEnv string `yaml:"token_env" doc:"The same from an environment variable."`
	// Account and User are who logs in with a key.
	Account string `yaml:"account" doc:"Instead of a token: the account's name as a key pair's JWT has it, ORGANIZATION-ACCOUNT."`
	User    string `yaml:"user" doc:"The user with the public key, beside account."`
	// PrivateKeyFile holds the key that signs logins; it is read again every few minutes.
	PrivateKeyFile string `yaml:"private_key_file" doc:"File with that user's RSA private key, PKCS #8 in PEM without a password; read again every few minutes."`
	// PrivateKeyEnv is the environment variable that holds it.
	PrivateKeyEnv string `yaml:"private_key_env" doc:"The same from an environment variable."`
	// Role that statements run as; empty = the user's default.
	Role string `yaml:"role" doc:"Role that statements run as; default: the user's own. It owns the integrations."`
	// SpareSlot is a person's word that rotad may write over the slot that Vault does not hold.
	SpareSlot string `yaml:"spare_slot" enum:"overwrite" required:"true" doc:"overwrite: says that the slot that Vault does not hold is used by nobody, in every integration that is registered here."`
}

// plain is a name that needs no quotes in SQL. Snowflake takes others too, in quotes; none of them gets into a statement of rotad's.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`)

// named is what a claim of a login may look like: it is compared by Snowflake in upper case.
var named = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,255}$`)

// keyed says whether rotad logs in with a key.
func (s *Settings) keyed() bool {
	return cmp.Or(s.Account, s.User, s.PrivateKeyFile, s.PrivateKeyEnv) != ""
}

// Validate reports a login that is missing, doubled or incomplete, and names that cannot be used.
func (s *Settings) Validate(report func(path, what, hint string)) {
	token := s.TokenFile+s.TokenEnv != ""
	switch {
	case token && s.keyed():
		report("token_file", "there are two ways to log in", "keep the token, or account, user and private_key_file")
	case !token && !s.keyed():
		report("token_file", "rotad has no way to log in", "write token_file, or account, user and private_key_file")
	case s.keyed():
		s.validateKey(report)
	}
	if s.Role != "" && !plain.MatchString(s.Role) {
		report("role", "is not a plain name", "write letters, digits and _, and begin with no digit")
	}
}

// validateKey reports what a login by a key lacks.
func (s *Settings) validateKey(report func(path, what, hint string)) {
	switch {
	case s.PrivateKeyFile+s.PrivateKeyEnv == "":
		report("private_key_file", "is required beside account and user", "")
	case !named.MatchString(s.Account):
		report("account", "is not the name of an account", "write ORGANIZATION-ACCOUNT, without a host")
	case !named.MatchString(s.User):
		report("user", "is not the name of a user that a login can carry", "write letters, digits and _ . @ -")
	}
}
