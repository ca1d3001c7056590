package vault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/vault/api"
)

// Clock is the time that a Client lives by.
type Clock struct {
	Now     func() time.Time                     // wall
	Elapsed func() time.Duration                 // monotonic
	After   func(time.Duration) <-chan time.Time // timers
}

// Client is a connection to one Vault. It is safe for concurrent use.
type Client struct {
	settings Settings
	clock    Clock
	log      *slog.Logger
	base     *api.Client // without a token; never changed after Open, because copying it takes no lock

	session atomic.Pointer[session]
	login   chan struct{} // holds one element while somebody logs in or renews
	forced  time.Duration // elapsed at the last login that a refusal forced; whoever holds login may touch it
	mounts  sync.Map      // place of a mount (namespace, path) that has been seen to be KV v2
}

// Open builds a Client. It reads the certificate files and sends nothing. log may be nil.
func Open(settings Settings, clock Clock, log *slog.Logger) (*Client, error) {
	settings = settings.withDefaults()
	if err := settings.check(); err != nil {
		return nil, fmt.Errorf("opening vault: %w", err)
	}
	transport, err := newTransport(settings)
	if err != nil {
		return nil, fmt.Errorf("opening vault: %w", err)
	}
	base, err := newAPI(settings, transport)
	if err != nil {
		return nil, fmt.Errorf("opening vault: %w", err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Client{
		settings: settings, clock: clock, log: log, base: base, login: make(chan struct{}, 1), forced: -forcedPause,
	}, nil
}

// newAPI builds the library's client with everything taken out that acts behind our back: repetitions, environment
// variables, response wrapping.
func newAPI(settings Settings, transport http.RoundTripper) (*api.Client, error) {
	config := &api.Config{
		Address:    settings.Address,
		HttpClient: &http.Client{Transport: transport, CheckRedirect: leaveRedirects},
		MaxRetries: 0,
		CheckRetry: func(context.Context, *http.Response, error) (bool, error) { return false, nil },
		// The deadline comes with each call. The library's own would end raw answers before they are read.
		Timeout: 0,
	}
	client, err := api.NewClient(config)
	if err != nil {
		// A malformed VAULT_* variable makes the library refuse, although nothing in it would be used.
		client, err = withoutEnv(func() (*api.Client, error) { return api.NewClient(config) })
	}
	if err != nil {
		return nil, errors.New("the address is not accepted")
	}
	client.ClearToken()
	client.SetHeaders(http.Header{api.RequestHeaderName: {"true"}})
	if settings.Namespace != "" {
		client.SetNamespace(settings.Namespace)
	}
	client.SetWrappingLookupFunc(func(string, string) string { return "" })
	return client, nil
}

// leaveRedirects leaves redirects to the library, which follows one (a standby pointing at the active node) and
// refuses to go from https to http.
func leaveRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// withoutEnv runs f while no VAULT_* variable is set.
func withoutEnv(f func() (*api.Client, error)) (*api.Client, error) {
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "VAULT_") && os.Unsetenv(name) == nil {
			defer func() { _ = os.Setenv(name, value) }()
		}
	}
	return f()
}

// maxAnswer is several times the largest entry that Vault stores (1 MiB by default). As many answers as there are
// workers may be held in memory at once, and a decoder holds each about twice.
const maxAnswer = 4 << 20

// maxHeader is how many bytes of an answer's header are read.
const maxHeader = 256 << 10

// bounded cuts answers off at maxAnswer bytes.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{http.MaxBytesReader(nil, response.Body, maxAnswer), response.Body}
	return response, nil
}

func newTransport(settings Settings) (http.RoundTripper, error) {
	if settings.Transport != nil {
		return bounded{settings.Transport}, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: settings.TLSServerName}
	if settings.CACertFile != "" {
		pem, err := os.ReadFile(settings.CACertFile)
		if err != nil {
			return nil, fmt.Errorf("reading the CA certificate: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the CA certificate: %s holds no PEM certificate", settings.CACertFile)
		}
	}
	if settings.ClientCertFile != "" {
		// Read at every handshake, because short-lived certificates are replaced under a running rotad.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(settings.ClientCertFile, settings.ClientKeyFile)
			return &pair, err
		}
		if _, err := config.GetClientCertificate(nil); err != nil {
			return nil, fmt.Errorf("reading the client certificate: %w", err)
		}
	}
	return bounded{&http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: settings.Timeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:     config,
		TLSHandshakeTimeout: settings.Timeout,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     90 * time.Second,

		MaxResponseHeaderBytes: maxHeader,
	}}, nil
}
