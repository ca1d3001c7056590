package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// TLSMode says how the connection to the mail server is protected.
type TLSMode string

// The TLS modes. The zero value is TLSStartTLS.
const (
	TLSStartTLS TLSMode = "starttls" // mandatory: a server that does not offer it is not used (RFC 3207)
	TLSImplicit TLSMode = "implicit" // TLS from the first byte (RFC 8314)
	TLSNone     TLSMode = "none"     // clear text; a password is then only sent to this machine itself
)

// SMTPSettings are the settings of the smtp channel: plain data.
type SMTPSettings struct {
	Host     string  // name or address of the server; required
	Port     int     // 0 = 587, with TLSImplicit 465, with TLSNone 25
	TLS      TLSMode // empty = TLSStartTLS
	Username string  // empty = no login
	// Auth is how to log in; empty = MechanismAuto.
	Auth Mechanism
	// Password is asked before every login, so that a rotated password needs no restart. nil = no login.
	Password func(context.Context) (credential.Sensitive, error)
	// Refused hears of a password that the server has refused, so that a token is not kept for longer than it is good for.
	// May be nil.
	Refused   func(credential.Sensitive)
	HELO      string        // what we call ourselves; empty = the name of the machine
	Roots     *tls.Config   // certificates to trust, client certificate; nil = the system's. Never turns checking off
	PerDomain int           // mails on their way at once to addresses of one domain; 0 = as many as there are connections
	Timeout   time.Duration // of connecting and of each command; 0 = 60s
	Answer    time.Duration // of the answer to a whole message; 0 = 5m (RFC 5321 section 4.5.3.2.6 asks for 10)
	Idle      time.Duration // after which a kept connection is closed; 0 = 30s
	Keep      int           // connections kept; 0 = 4
}

// Defaults of SMTPSettings.
const (
	DefaultTimeout = 60 * time.Second
	DefaultAnswer  = 5 * time.Minute
	DefaultIdle    = 30 * time.Second
	DefaultKeep    = 4
)

// WithDefaults fills zero values.
func (s SMTPSettings) WithDefaults() SMTPSettings {
	if s.TLS == "" {
		s.TLS = TLSStartTLS
	}
	if s.Port == 0 {
		s.Port = map[TLSMode]int{TLSStartTLS: 587, TLSImplicit: 465, TLSNone: 25}[s.TLS]
	}
	s.Timeout = orElse(s.Timeout, DefaultTimeout)
	s.Answer = orElse(s.Answer, DefaultAnswer)
	s.Idle = orElse(s.Idle, DefaultIdle)
	s.Keep = orElse(s.Keep, DefaultKeep)
	return s
}

func orElse[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// Check names everything that is wrong with the settings.
func (s SMTPSettings) Check() error {
	var errs []error
	if s.Host == "" {
		errs = append(errs, errors.New("smtp.host is missing"))
	}
	switch s.TLS {
	case "", TLSStartTLS, TLSImplicit, TLSNone:
	default:
		errs = append(errs, fmt.Errorf("smtp.tls: %q is none of starttls, implicit, none", s.TLS))
	}
	if s.Port < 0 || s.Port > 65535 {
		errs = append(errs, fmt.Errorf("smtp.port: %d is not a port", s.Port))
	}
	switch s.Auth {
	case "", MechanismAuto, MechanismPlain, MechanismLogin, MechanismCRAM, MechanismSCRAM, MechanismXOAUTH2:
	default:
		errs = append(errs, fmt.Errorf("smtp.auth: %q is none of auto, plain, login, cram-md5, scram-sha-256, xoauth2", s.Auth))
	}
	if s.Username != "" && s.Password == nil {
		errs = append(errs, errors.New("smtp.username is set without a password"))
	}
	if s.Roots != nil && s.Roots.InsecureSkipVerify {
		errs = append(errs, errors.New("smtp: the server's certificate has to be checked"))
	}
	return errors.Join(errs...)
}

// tlsConfig returns a copy of the TLS settings for this server.
func (s SMTPSettings) tlsConfig() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.Roots != nil {
		config = s.Roots.Clone()
		config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	}
	if config.ServerName == "" {
		config.ServerName = s.Host
	}
	return config
}
