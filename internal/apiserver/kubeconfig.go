package apiserver

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"
)

// kubeconfig is what rotad reads of such a file
// (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/), and what it has to refuse.
type kubeconfig struct {
	CurrentContext string `yaml:"current-context"`
	Contexts       []struct {
		Name    string `yaml:"name"`
		Context struct {
			Cluster string `yaml:"cluster"`
			User    string `yaml:"user"`
		} `yaml:"context"`
	} `yaml:"contexts"`
	Clusters []struct {
		Name    string  `yaml:"name"`
		Cluster cluster `yaml:"cluster"`
	} `yaml:"clusters"`
	Users []struct {
		Name string `yaml:"name"`
		User user   `yaml:"user"`
	} `yaml:"users"`
}

type cluster struct {
	Server        string `yaml:"server"`
	TLSServerName string `yaml:"tls-server-name"`
	Authority     string `yaml:"certificate-authority"`
	AuthorityData string `yaml:"certificate-authority-data"`
	Unverified    bool   `yaml:"insecure-skip-tls-verify"`
	ProxyURL      string `yaml:"proxy-url"`
}

type user struct {
	Token           string `yaml:"token"`
	TokenFile       string `yaml:"tokenFile"`
	Certificate     string `yaml:"client-certificate"`
	CertificateData string `yaml:"client-certificate-data"`
	Key             string `yaml:"client-key"`
	KeyData         string `yaml:"client-key-data"`
	Exec            any    `yaml:"exec"`
	AuthProvider    any    `yaml:"auth-provider"`
	Username        string `yaml:"username"`
	As              string `yaml:"as"`
}

// fromKubeconfig is the access that a context of a kubeconfig describes.
func fromKubeconfig(path, context string) (access, error) {
	text, err := readFile(path)
	if err != nil {
		return access{}, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	k, err := parse(text)
	if err == nil {
		var a access
		if a, err = k.access(context, filepath.Dir(path)); err == nil {
			return a, nil
		}
	}
	return access{}, fmt.Errorf("the kubeconfig %s: %w", path, err)
}

// parse never repeats the text: the YAML library would, and there are tokens in it.
func parse(text []byte) (k kubeconfig, err error) {
	if yaml.Load(text, &k) != nil {
		return kubeconfig{}, errors.New("it is not YAML with contexts, clusters and users in it")
	}
	return k, nil
}

func (k kubeconfig) access(context, dir string) (access, error) {
	c, u, who, err := k.named(context)
	if err != nil {
		return access{}, err
	}
	if err = errors.Join(c.refused(), u.refused()); err != nil {
		return access{}, err
	}
	a := access{serverName: c.TLSServerName, who: who}
	if a.server, err = serverOf(c.Server); err != nil {
		return access{}, err
	}
	if c.Authority != "" || c.AuthorityData != "" {
		pem, err := given("certificate-authority", c.AuthorityData, c.Authority, dir)
		if err != nil {
			return access{}, err
		}
		if a.authorities, err = pool(pem); err != nil {
			return access{}, err
		}
	}
	return a, u.login(&a, dir)
}

// named finds what a context is made of.
func (k kubeconfig) named(context string) (c cluster, u user, who string, err error) {
	if context == "" {
		context = k.CurrentContext
	}
	for _, one := range k.Contexts {
		if one.Name != context {
			continue
		}
		for _, known := range k.Clusters {
			if known.Name == one.Context.Cluster {
				c = known.Cluster
			}
		}
		for _, known := range k.Users {
			if known.Name == one.Context.User {
				u = known.User
			}
		}
		return c, u, fmt.Sprintf("the user %q of the kubeconfig", one.Context.User), nil
	}
	if context == "" {
		return c, u, "", errors.New("it has no current-context: write context")
	}
	return c, u, "", fmt.Errorf("it has no context %q", context)
}

func serverOf(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, errors.New("its context names no cluster that has a server")
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "":
		return nil, errors.New("the server of its cluster is no https:// URL of an API server")
	}
	return u, nil
}

// refused names what would make the server's identity doubtful, or go another way than is written here.
func (c cluster) refused() error {
	switch {
	case c.Unverified:
		return errors.New("insecure-skip-tls-verify would hand the secret to anybody: name the certificate-authority instead")
	case c.ProxyURL != "":
		return errors.New("proxy-url is not supported: set HTTPS_PROXY for rotad")
	}
	return nil
}

// refused names the ways to log in that rotad does not know. A plugin would be a program that rotad runs.
func (u user) refused() error {
	const instead = ": give rotad a service account, and its token or tokenFile"
	switch {
	case u.Exec != nil:
		return errors.New("its user logs in by a plugin (exec), which is not supported" + instead)
	case u.AuthProvider != nil:
		return errors.New("its user logs in by an auth-provider, which is not supported" + instead)
	case u.Username != "":
		return errors.New("its user logs in by a password, which is not supported" + instead)
	case u.As != "":
		return errors.New("its user acts as somebody else (as), which is not supported" + instead)
	}
	return nil
}

// login puts a token, a certificate or both into an access. A file goes before a token in the text, and data before a file, as
// with kubectl.
func (u user) login(a *access, dir string) error {
	switch {
	case u.TokenFile != "":
		text, err := readFile(below(dir, u.TokenFile))
		if err != nil {
			return fmt.Errorf("reading tokenFile: %w", err)
		}
		a.token = trimmed(text)
	case u.Token != "":
		a.token = trimmed([]byte(u.Token))
	}
	if u.Certificate != "" || u.CertificateData != "" {
		return u.certificate(a, dir)
	}
	if a.token.Empty() {
		return errors.New("its user has no login: write token, tokenFile, or client-certificate and client-key")
	}
	return nil
}

func (u user) certificate(a *access, dir string) error {
	certificate, err := given("client-certificate", u.CertificateData, u.Certificate, dir)
	if err != nil {
		return err
	}
	key, err := given("client-key", u.KeyData, u.Key, dir)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return errors.New("client-certificate and client-key are no pair in PEM") // the cause could tell something of the key
	}
	a.certificate = &pair
	return nil
}

// given returns what stands in the text in base64, or in a file.
func given(name, data, file, dir string) ([]byte, error) {
	switch {
	case data != "":
		text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data), ""))
		if err != nil {
			return nil, fmt.Errorf("%s-data is not base64", name)
		}
		return text, nil
	case file != "":
		text, err := readFile(below(dir, file))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		return text, nil
	}
	return nil, fmt.Errorf("its user has no %s", name)
}

// below reads a path as kubectl does: from where the kubeconfig lies.
func below(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
