package dex

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "dex"

// DefaultPropagation bounds how long the servers of an installation may disagree: they share a storage, and ask it.
const DefaultPropagation = 10 * time.Second

// refClientID is the one field of a client's ref.
const refClientID = "client_id"

// Settings of a provider of this kind.
type Settings struct {
	// URL of the gRPC API: https, or http where it asks for no TLS.
	URL string `yaml:"url" required:"true" format:"url" doc:"URL of the gRPC API, for example https://dex.example.com:5557; http where it asks for no TLS."`
	// TokenURL is Dex's token endpoint.
	TokenURL string `yaml:"token_url" required:"true" format:"url" doc:"Token endpoint, where secrets are proved, for example https://dex.example.com/token."`
	// CAFile holds the authorities that the API's certificate is checked against.
	CAFile string `yaml:"ca_file" doc:"File with the authorities that the API's certificate is signed by, in PEM; default: those of the system."`
	// CertificateFile holds the certificate that rotad shows to the API.
	CertificateFile string `yaml:"certificate_file" doc:"File with the certificate that rotad shows to the API, in PEM; read for every connection. With key_file."`
	// KeyFile holds the private key of that certificate.
	KeyFile string `yaml:"key_file" doc:"File with that certificate's private key, in PEM."`
}

// Validate reports what the settings lack.
func (s *Settings) Validate(report func(path, what, hint string)) {
	key := s.KeyFile != ""
	if key != (s.CertificateFile != "") {
		report("certificate_file", "belongs together with key_file", "write both, or none")
	}
	if strings.HasPrefix(s.URL, "http://") && (key || s.CAFile != "") {
		report("url", "is http, and a certificate is configured", "write https, so that the certificates count")
	}
}

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "clients of Dex, over its gRPC API: a client is deleted and made again with another secret",
		Modes:    []string{string(credential.ModeHardCutover)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refClientID},
		Rights:   "a certificate that the gRPC API takes; Dex has no narrower right, so nobody else should reach that port",
		Traits:   providers.Traits{Value: providers.ChosenByRotad, Live: "1", Lists: true, Walks: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is one server.
type provider struct {
	api    api
	pages  api // the same, for replies of a megabyte and more
	verify httpapi.Verifier
	timing providers.Timing

	certified bool // rotad shows a certificate
}

// nobody is a client that does not exist.
const nobody = "rotad-asks-for-nobody"

var (
	_ providers.Recoverer = (*provider)(nil)
	_ providers.Decoder   = (*provider)(nil)
	_ providers.Checker   = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)
	_ providers.Lister    = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
)

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("opening %s: the settings are a %T", o.Name, o.Settings)
	}
	config := httpapi.Config{Provider: o.Name, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline}
	base, path, err := httpapi.Split(s.TokenURL)
	if err != nil {
		return nil, fmt.Errorf("opening %s: token_url: %w", o.Name, err)
	}
	config.Base = base
	public, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: token_url: %w", o.Name, err)
	}
	config.Base = s.URL
	if config.Transport == nil {
		if config.Transport, err = transport(s, o); err != nil {
			return nil, fmt.Errorf("opening %s: %w", o.Name, err)
		}
	}
	grpc, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	config.Limit, config.Timeout = pageLimit, listTimeout
	pages, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	return &provider{
		certified: s.CertificateFile != "",
		api:       api{client: grpc}, pages: api{client: pages},
		verify: httpapi.Verifier{Client: public, Token: path},
		timing: providers.Timing{Deadline: grpc.Deadline(), Propagation: cmp.Or(o.Propagation, DefaultPropagation)},
	}, nil
}

var errAuthorities = errors.New("ca_file holds no certificate in PEM")

// transport speaks HTTP/2, which gRPC needs, with TLS and without.
func transport(s *Settings, o providers.Opening) (http.RoundTripper, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		text, err := o.Secret("ca")
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(text)) {
			return nil, errAuthorities
		}
	}
	if s.CertificateFile != "" {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return ownCertificate(o) }
	}
	var protocols http.Protocols
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, Protocols: &protocols, TLSHandshakeTimeout: 10 * time.Second,
		MaxResponseHeaderBytes: 256 << 10, IdleConnTimeout: time.Minute,
	}, nil
}

// ownCertificate reads rotad's certificate afresh, so that it may be replaced at any time.
func ownCertificate(o providers.Opening) (*tls.Certificate, error) {
	certificate, err := o.Secret("certificate")
	if err != nil {
		return nil, fmt.Errorf("reading rotad's certificate: %w", err)
	}
	key, err := o.Secret("key")
	if err != nil {
		return nil, fmt.Errorf("reading the key of rotad's certificate: %w", err)
	}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		return nil, errors.New("rotad's certificate and its key do not fit together")
	}
	return &pair, nil
}

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	f, err := p.find(ctx, "inspect", t.Ref[refClientID])
	if err != nil {
		return providers.Snapshot{}, err
	}
	return f.snapshot(), nil
}

// snapshot is what is known of a client.
func (f found) snapshot() providers.Snapshot {
	return providers.Snapshot{
		Caps: credential.Capabilities{
			Mode: credential.ModeHardCutover, Reason: "a client of Dex has one secret, which changes only with the client", Readable: true, Slots: 1,
			Effects: "for a moment Dex does not know the client: who logs in right then is refused",
		},
		ClientID: f.id, Secrets: []credential.Secret{f.issued().Secret}, Time: f.time,
	}
}

// Decode implements providers.Decoder.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	c, err := made([]byte(raw.Reveal()), t.Ref[refClientID])
	if err != nil {
		return providers.Issued{}, p.api.fault("decode", providers.ClassNotUnderstood, err)
	}
	return c.issued(), nil
}

// Recover implements providers.Recoverer.
func (p *provider) Recover(ctx context.Context, t providers.Target) (providers.Issued, error) {
	f, err := p.find(ctx, "recover", t.Ref[refClientID])
	if err != nil {
		return providers.Issued{}, err
	}
	return f.issued(), nil
}

// Verify implements providers.Provider.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	return p.verify.Verify(ctx, t.Verify, b)
}

// Check implements providers.Checker. It asks for a client that does not exist.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	_, err := p.api.get(ctx, "check", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "certificate_file and key_file have to be those of a client that Dex's grpc.tlsClientCA knows"}}
	default:
		return []providers.Finding{{
			Problem: true, What: err.Error(), Hint: "is the url that of Dex's grpc.addr, http or https as Dex serves it, and may this machine reach it?",
		}}
	}
}
