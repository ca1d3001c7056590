package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/providers/httpapi"
)

// mailChannel opens the way to the mail server. It connects to nothing.
func mailChannel(s *config.SMTP) (*notify.SMTP, error) {
	settings := notify.SMTPSettings{
		Host: s.Host, Port: s.Port, TLS: notify.TLSMode(s.TLS), Username: s.Username, Auth: notify.Mechanism(s.Auth), HELO: s.Helo,
		Timeout: s.Timeout, PerDomain: s.PerDomain,
	}
	switch {
	case s.OAuth != nil:
		if err := withTokens(&settings, s.OAuth); err != nil {
			return nil, err
		}
	case s.Username != "":
		settings.Password = func(context.Context) (credential.Sensitive, error) {
			password, err := s.Secret("password")
			return credential.NewSensitive(password), err
		}
	}
	roots, err := authorities("smtp.ca_cert_file", s.CACertFile)
	if err == nil && s.ClientCertFile != "" {
		roots, err = withCertificate(roots, s.ClientCertFile, s.ClientKeyFile)
	}
	if err != nil {
		return nil, err
	}
	settings.Roots = roots
	return notify.NewSMTP(settings)
}

// withTokens logs in with access tokens. One is kept for as long as its server says, and no longer than the mail server takes it.
func withTokens(settings *notify.SMTPSettings, o *config.OAuth) error {
	origin, path, err := httpapi.Split(o.TokenURL)
	if err != nil {
		return fmt.Errorf("smtp.oauth.token_url: %w", err)
	}
	client, err := httpapi.New(httpapi.Config{Provider: "smtp.oauth", Base: origin, Timeout: settings.Timeout})
	if err != nil {
		return fmt.Errorf("smtp.oauth.token_url: %w", err)
	}
	tokens := httpapi.NewTokens(httpapi.ClientCredentials{
		Client: client, Path: path, ClientID: o.ClientID, Scope: o.Scope, Auth: "post",
		Secret: func() (string, error) { return o.Secret("client_secret") },
	}.Login, nil)
	settings.Password, settings.Refused = tokens.Get, tokens.Invalidate
	return nil
}

// withCertificate shows the server a certificate. It is read at every handshake, because short-lived ones are replaced under a
// running rotad.
func withCertificate(roots *tls.Config, cert, key string) (*tls.Config, error) {
	if roots == nil {
		roots = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	roots.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		return &pair, err
	}
	if _, err := roots.GetClientCertificate(nil); err != nil {
		return nil, errors.Join(errors.New("reading smtp.client_cert_file and smtp.client_key_file"), err)
	}
	return roots, nil
}
