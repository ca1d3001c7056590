package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// settings checks the sections that stand once, and takes them over.
func (l *loader) settings(s scope) {
	f, c := &l.file, l.config
	f.State.check(s.child("state"))
	f.Listen.check(s.child("listen"))
	f.Listen.Public.check(s.child("listen").child("public"), f.PublicURL)
	if f.Listen.Public.On() {
		warnPlain(s.child("public_url"), f.PublicURL, "whoever is on the way can read links, and answer with them")
	}
	f.Listen.Public.Secret = secretsOf(&f.Listen.Public)
	if f.Listen.Public.On() && !l.decoder.syntax {
		f.Listen.Public.checkKey(s.child("listen").child("public"))
	}
	f.Vault.check(s.child("vault"))
	l.defaultJWT(s.child("vault").child("auth"), &f.Vault.Auth)
	f.Metrics.check(s.child("metrics"))
	f.Runtime.check(s.child("runtime"))
	if _, err := Schedule(f.Scan); err != nil {
		s.child("scan").report(err.Error(), `write five cron fields such as "17 * * * *", or "@every 30s"`)
	}
	if f.SMTP != nil {
		f.SMTP.check(s.child("smtp"))
		f.SMTP.Secret = secretsOf(f.SMTP)
	} else if isNull(f.Channels.scope.node) {
		s.child("smtp").warn("there is no mail server", "nobody is told anything by mail")
	}
	f.Vault.Auth.Secret = secretsOf(&f.Vault.Auth)
	f.Handshake.check(s.child("handshake"))
	listener{f.Publish.Address, f.Publish.TLSCertFile, f.Publish.TLSKeyFile}.check(s.child("publish"), "whoever is on the way can replace the public keys")
	c.Publish = f.Publish
	f.Handshake.Secret = secretsOf(&f.Handshake)
	c.Handshake = f.Handshake
	c.State, c.Scan, c.Listen, c.Vault, c.SMTP, c.Admins = f.State, f.Scan, f.Listen, f.Vault, f.SMTP, f.Admins
	c.PublicURL, c.Metrics, c.Log, c.Runtime = f.PublicURL, f.Metrics, f.Log, f.Runtime
	c.Templates = l.templates(s.child("templates"))
}

// templates returns the directory of templates. Relative to the configuration file, as all paths are.
func (l *loader) templates(s scope) string {
	dir := l.file.Templates
	if dir == "" {
		return ""
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.dir, dir)
	}
	if info, err := os.Stat(dir); !l.decoder.syntax && (err != nil || !info.IsDir()) {
		s.report(fmt.Sprintf("%s is not a directory", dir), "rotad preview --sources DIR writes the templates that there are")
	}
	return dir
}

func (st *State) check(s scope) {
	if st.Path == "" {
		s.child("path").report("is empty", "write the path of a file")
		return
	}
	if !filepath.IsAbs(st.Path) {
		st.Path = filepath.Join(s.dir, st.Path)
	}
}

func (li *Listen) check(s scope) {
	if li.Metrics != off {
		if what, hint := listenProblem(li.Metrics); what != "" {
			s.child("metrics").report(what, hint)
		}
	}
	path, ok := strings.CutPrefix(li.Admin, "unix:")
	if !ok {
		s.child("admin").report(fmt.Sprintf("%q is not a socket", li.Admin), "write unix:/run/rotad/admin.sock")
		return
	}
	if path != "" && !filepath.IsAbs(path) {
		path = filepath.Join(s.dir, path)
		li.Admin = "unix:" + path
	}
	if what, hint := socketProblem(path); what != "" {
		s.child("admin").report(what, hint)
	}
}

// off switches a listener off.
const off = "off"

func (v *Vault) check(s scope) {
	v.VaultServer.check(s)
	v.Staging = strings.Trim(v.Staging, "/")
	vaultPart(s.child("staging"), v.Staging, true)
	if v.AuditLog != "" && !filepath.IsAbs(v.AuditLog) {
		s.child("audit_log").report(fmt.Sprintf("%q is no absolute path", v.AuditLog), "as in /var/log/vault/audit.log")
	}
}

func (v *VaultServer) check(s scope) {
	v.Address = strings.TrimRight(v.Address, "/")
	warnPlain(s.child("address"), v.Address, "the bundles travel in clear")
	v.Mount, v.Namespace = strings.Trim(v.Mount, "/"), strings.Trim(v.Namespace, "/")
	vaultPart(s.child("mount"), v.Mount, true)
	vaultPart(s.child("namespace"), v.Namespace, false)
	pair(s, v.ClientCertFile, v.ClientKeyFile)
	v.Auth.check(s.child("auth"))
	positive(s.child("timeout"), v.Timeout)
}

// vaultPart checks a part of a path in Vault.
func vaultPart(s scope, text string, needed bool) {
	if text == "" && !needed {
		return
	}
	what, hint := vaultPathProblem(text)
	if text == "" {
		what = "is empty"
	}
	if what != "" {
		s.report(what, hint)
	}
}

// loginSettings are the settings of each method. Those that a method has no use for are refused.
var loginSettings = map[string][]string{
	"token":      {"token_file", "token_env"},
	"approle":    {"role_id", "secret_id_file", "secret_id_env"},
	"jwt":        {"role", "jwt_file"},
	"kubernetes": {"role", "jwt_file"},
}

// check finds settings that the chosen method lacks, and those that belong to another one.
func (a *VaultAuth) check(s scope) {
	a.Mount = strings.Trim(a.Mount, "/")
	own := loginSettings[a.Method]
	switch a.Method {
	case "token":
		s.needOne(own, "the method token needs it")
		s.refuse([]string{"mount"}, "means nothing for the method token")
	case "approle":
		s.needOne(own[:1], "the method approle needs it")
		if !s.writesAny(own[1:]) {
			s.child(own[1]).warn("there is no SecretID", "only a role with bind_secret_id=false logs in without one")
		}
	case "jwt":
		s.needOne(own[:1], "the method jwt needs it")
		s.needOne(own[1:], "the method jwt needs it")
	case "kubernetes":
		s.needOne(own[:1], "the method kubernetes needs it")
	default:
		return
	}
	for _, other := range []struct{ method, words string }{
		{"token", "the method token"}, {"approle", "the method approle"}, {"jwt", "the methods jwt and kubernetes"},
	} {
		if keys := loginSettings[other.method]; !slices.Equal(keys, own) {
			s.refuse(keys, "belongs to "+other.words)
		}
	}
}

// podJWT is where Kubernetes puts the token of a pod's service account, unless the pod says otherwise.
const podJWT = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// defaultJWT completes the settings of the method kubernetes, and looks whether its file is there.
func (l *loader) defaultJWT(s scope, a *VaultAuth) {
	if a.Method != "kubernetes" || a.JWTFile != "" || s.child("jwt_file").written() {
		return
	}
	a.JWTFile = podJWT
	l.decoder.checkFile(s.child("jwt_file"), a.JWTFile, false)
}

func (s scope) writesAny(keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return s.child(key).written() })
}

func (s scope) needOne(keys []string, why string) {
	if s.writesAny(keys) {
		return
	}
	hint := why
	if len(keys) > 1 {
		hint += ", or " + strings.Join(keys[1:], " or ")
	}
	s.child(keys[0]).report("is required", hint)
}

func (s scope) refuse(keys []string, why string) {
	for _, key := range keys {
		if at := s.child(key); at.written() {
			at.report(why, "delete it, or choose another method")
		}
	}
}

// warnPlain points out connections that anybody on the way can read; one that stays on this machine is none.
func warnPlain(s scope, address, danger string) {
	u, err := url.Parse(address)
	if err == nil && u.Scheme == "http" && !isLoopback(address) {
		s.warn("the connection is not encrypted", danger)
	}
}

// isLoopback says whether a URL leads to this machine.
func isLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

func (m *SMTP) check(s scope) {
	if m.Port < 0 || m.Port > 65535 {
		s.child("port").report(fmt.Sprintf("%d is not a port", m.Port), "ports go from 1 to 65535")
	}
	if m.Port == 0 {
		m.Port = map[string]int{"starttls": 587, "implicit": 465, "none": 25}[m.TLS]
	}
	if m.Port == 465 && m.TLS == "starttls" {
		s.child("port").warn("465 is the port of implicit TLS", "write tls: implicit, or port: 587")
	}
	m.login(s)
	pair(s, m.ClientCertFile, m.ClientKeyFile)
	if m.PerDomain < 0 {
		s.child("per_domain").report("is negative", "0 means as many as there are connections")
	}
	positive(s.child("timeout"), m.Timeout)
}

// login finds a login that is half written.
func (m *SMTP) login(s scope) {
	password := []string{"password_file", "password_env"}
	switch {
	case m.OAuth != nil:
		m.OAuth.check(s.child("oauth"))
		if m.Auth != "xoauth2" {
			s.child("oauth").report("means nothing for this login", "write auth: xoauth2 beside it")
		}
		if m.Username == "" {
			s.child("username").report("is required", "the account that mails are sent from; oauth is written")
		}
		s.refuse(password, "the token takes the place of a password")
	case m.Username != "":
		s.needOne(password, "username is written")
	case s.writesAny(password):
		s.child("username").report("is required", "a password is written")
	case m.Auth != "auto":
		s.child("username").report("is required", "auth is written")
	}
	if m.Username != "" && m.TLS == "none" {
		s.child("tls").warn("the password travels in clear", "write tls: starttls or tls: implicit")
	}
}

func (o *OAuth) check(s scope) {
	warnPlain(s.child("token_url"), o.TokenURL, "rotad's secret travels in clear")
	s.needOne([]string{"client_secret_file", "client_secret_env"}, "rotad logs in with it")
	o.Secret = secretsOf(o)
}

// pair finds a certificate without its key.
func pair(s scope, cert, key string) {
	if (cert == "") != (key == "") {
		s.child("client_cert_file").report("a client certificate needs its key, and the other way round",
			"write client_cert_file and client_key_file")
	}
}

func (m *Metrics) check(s scope) {
	if m.ClientSeries < 0 {
		s.child("client_series").report("is negative", "0 means none")
	}
}

func (r *Runtime) check(s scope) {
	if r.Workers < 1 {
		s.child("workers").report(fmt.Sprintf("%d workers do nothing", r.Workers), "write 1 or more")
	}
	positive(s.child("shutdown"), r.Shutdown)
}

func (p *providerSettings) check(s scope) {
	at := s.child("headers")
	for _, name := range sortedKeys(p.Headers) {
		if what, hint := headerProblem(name, p.Headers[name]); what != "" {
			at.child(name).report(what, hint)
		}
	}
	limits := s.child("limits")
	for key, value := range map[string]float64{
		"concurrency": float64(p.Limits.Concurrency), "rate": p.Limits.Rate, "burst": float64(p.Limits.Burst),
		"creates_per_day": float64(p.Limits.CreatesPerDay), "breaker": float64(p.Limits.Breaker),
	} {
		if value < 0 {
			limits.child(key).report("is negative", "0 means no limit")
		}
	}
	p.Wave.check(s.child("wave"))
}

// proven asks for a person's word where a provider stands on documentation alone, and returns what it stands on without one. It is a
// warning, so that configurations from before the word go on; --strict makes an error of it.
func (p *providerSettings) proven(s scope, unproven string) string {
	if unproven == "" || p.AllowUnproven {
		return ""
	}
	s.child("allow_unproven").warn(unproven+unmet, hintUnproven+" and chosen a client to try it with")
	return unproven
}

// What is said of a provider that stands on documentation alone, after the name of its kind or preset, and what to do.
const (
	unmet        = " was written from documentation and never met the real server"
	hintUnproven = "write allow_unproven: true beside kind, once you have read what it does (docs/reference/providers.md)"
)

func positive[D ~int64](s scope, d D) {
	if d <= 0 {
		s.report("must be more than 0", "")
	}
}
