package vault

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// DefaultTimeout bounds one call, from sending to the last byte of the answer.
const DefaultTimeout = 10 * time.Second

// Settings say where Vault is and how rotad logs in. They are plain data; files are read when they are needed.
type Settings struct {
	Address     string // https://vault.example.com:8200; http is accepted for a Vault on the same machine
	Namespace   string // for every call whose path names none; empty = the root namespace
	Mount       string // KV v2 mount; empty = "secret"
	StagingPath string // below the mount; empty = "rotad/staging"
	Auth        Auth

	CACertFile     string // PEM; empty = the system's certificates
	ClientCertFile string // PEM, for mutual TLS; with ClientKeyFile
	ClientKeyFile  string
	TLSServerName  string // name to expect in the certificate; empty = the one in Address

	Timeout   time.Duration     // of one call; 0 = DefaultTimeout
	Transport http.RoundTripper // nil = one over the network, by these settings
}

// The methods of Auth.
const (
	MethodToken      = "token"
	MethodAppRole    = "approle"
	MethodJWT        = "jwt"        // a JWT of an issuer that Vault trusts
	MethodKubernetes = "kubernetes" // the token of a service account, which Vault shows to its cluster
)

// Auth says how rotad logs in. The token, the secret id and the JWT are read again at every login, so that whoever
// replaces them need not restart rotad.
type Auth struct {
	Method       string // one of the methods; empty = MethodAppRole if RoleID is set, else MethodToken
	TokenFile    string // token: a file, or
	TokenEnv     string // the name of an environment variable
	RoleID       string // approle
	SecretIDFile string // approle: a file, or
	SecretIDEnv  string // the name of an environment variable; none of both = a role with bind_secret_id=false
	Role         string // jwt, kubernetes: name of the role
	JWTFile      string // jwt, kubernetes: the file that holds the JWT; empty = DefaultJWTFile for kubernetes
	Mount        string // path of the auth method; empty = its name
}

func (s Settings) withDefaults() Settings {
	s.Mount = cut(s.Mount, "secret")
	s.StagingPath = cut(s.StagingPath, "rotad/staging")
	if s.Auth.Method == "" {
		s.Auth.Method = MethodToken
		if s.Auth.RoleID != "" {
			s.Auth.Method = MethodAppRole
		}
	}
	s.Auth.Mount = cut(s.Auth.Mount, s.Auth.Method)
	if s.Auth.Method == MethodKubernetes && s.Auth.JWTFile == "" {
		s.Auth.JWTFile = DefaultJWTFile
	}
	if s.Timeout == 0 {
		s.Timeout = DefaultTimeout
	}
	return s
}

// cut removes the slashes that people write around paths.
func cut(path, otherwise string) string {
	if path = strings.Trim(path, "/"); path == "" {
		return otherwise
	}
	return path
}

// check reports every setting that cannot work.
func (s Settings) check() error {
	var errs []error
	u, err := url.Parse(s.Address)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		errs = append(errs, errors.New("the address must be https://host:port"))
	case u.User != nil:
		errs = append(errs, errors.New("the address must not carry a user or password"))
	}
	for _, path := range []string{s.Mount, s.StagingPath, s.Auth.Mount} {
		if err := checkPath(path); err != nil {
			errs = append(errs, err)
		}
	}
	if (s.ClientCertFile == "") != (s.ClientKeyFile == "") {
		errs = append(errs, errors.New("a client certificate needs its key, and the other way round"))
	}
	return errors.Join(append(errs, s.Auth.check())...)
}

func (a Auth) check() error {
	switch a.Method {
	case MethodToken:
		if a.TokenFile == "" && a.TokenEnv == "" {
			return errors.New("the login method token needs a token_file")
		}
	case MethodAppRole:
		if a.RoleID == "" {
			return errors.New("the login method approle needs a role_id")
		}
	case MethodJWT, MethodKubernetes:
		if a.Role == "" || a.JWTFile == "" {
			return fmt.Errorf("the login method %s needs a role and a jwt_file", a.Method)
		}
	default:
		return fmt.Errorf("the login method %q is not one of token, approle, jwt, kubernetes", a.Method)
	}
	return nil
}

// checkPath refuses paths that the HTTP client would rewrite on the way: what is asked must be what is meant.
func checkPath(path string) error {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("the vault path %q has an empty or relative part", path)
		}
	}
	return nil
}

// IgnoredEnv returns the names of the VAULT_* variables in environ (as os.Environ returns it) that are set although
// rotad does not follow them, sorted. Variables that the settings name are not among them.
func (s Settings) IgnoredEnv(environ []string) []string {
	var names []string
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		wanted := name == s.Auth.TokenEnv || name == s.Auth.SecretIDEnv
		if strings.HasPrefix(name, "VAULT_") && value != "" && !wanted {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// readSecret reads a secret setting afresh. The error names the place and never the content.
func readSecret(what, file, env string) (string, error) {
	text := os.Getenv(env)
	if file != "" {
		raw, err := os.ReadFile(file) //nolint:gosec // the operator names the file
		if err != nil {
			return "", fmt.Errorf("reading the %s: %w", what, err)
		}
		text = string(raw)
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", fmt.Errorf("reading the %s: %s is empty", what, file+env)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < '!' || r > '~' }) {
		return "", fmt.Errorf("reading the %s: %s holds spaces or unprintable characters", what, file+env)
	}
	return text, nil
}
