package config

import (
	"fmt"
	"net"
)

// listener is a door for other machines, as it is written.
type listener struct{ address, cert, key string }

// check says whether the listener is on. clear is what happens where it has no certificate and is not on this machine alone; empty =
// that is refused later.
func (l listener) check(s scope, clear string) (on bool) {
	if l.address == off {
		return false
	}
	if what, hint := listenProblem(l.address); what != "" {
		s.child("address").report(what, hint)
		return false
	}
	if (l.cert == "") != (l.key == "") {
		s.child("tls_cert_file").report("needs tls_key_file, and the other way round", "write both, or neither")
	}
	host, _, _ := net.SplitHostPort(l.address)
	if ip := net.ParseIP(host); l.cert == "" && clear != "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		s.child("address").warn(clear, "write tls_cert_file and tls_key_file, or let a proxy in front of it do TLS")
	}
	return true
}

// check finds what the listener for people lacks. Links lead to it, so it has to be known where people find it.
func (p *Public) check(s scope, url string) {
	at := listener{p.Address, p.TLSCertFile, p.TLSKeyFile}
	clear := "whoever is on the way can read links, and answer with them"
	if len(p.TrustedProxies) > 0 { // who comes around them in clear is refused
		clear = ""
	}
	if !at.check(s, clear) {
		return
	}
	if url == "" {
		s.child("address").report("needs public_url", "write at the top level where people reach it: public_url: https://rotad.example.com")
	}
	if p.KeyFile == "" && p.KeyEnv == "" {
		s.child("key_file").report("is required where people are listened to", "32 random bytes: openssl rand -base64 32")
	}
}

// minPublicKey is the length in bytes of the shortest key that cannot be guessed.
const minPublicKey = 32

// checkKey finds a key that could be guessed. One that cannot be read has been reported, where it is not merely somebody else who
// checks the configuration.
func (p *Public) checkKey(s scope) {
	key, err := p.Secret("key")
	if err != nil || len(key) >= minPublicKey {
		return
	}
	at := s.child("key_file")
	if !at.written() {
		at = s.child("key_env")
	}
	at.report(fmt.Sprintf("the key has %d characters; it needs %d random ones", len(key), minPublicKey), "openssl rand -base64 32")
}
