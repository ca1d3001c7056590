package apiserver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// access is how the API server is reached. It is made anew each time, because tokens and certificates are
// replaced under the same names: the kubelet does so every hour.
type access struct {
	server      *url.URL
	authorities *x509.CertPool // nil = those of the machine
	serverName  string         // in the server's certificate; empty = the host of server
	token       credential.Sensitive
	certificate *tls.Certificate // rotad's own; nil = none
	who         string           // whose login it is, for people
}

func accessOf(p Place) (access, error) {
	if p.Kubeconfig == "" {
		return inPod()
	}
	return fromKubeconfig(p.Kubeconfig, p.Context)
}

// accountDir is where the kubelet puts what a pod's account needs
// (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/).
var accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// inPod is the access of the pod that rotad runs in.
func inPod() (access, error) {
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return access{}, errors.New("rotad does not run in a pod of Kubernetes: write kubeconfig_file")
	}
	a := access{server: &url.URL{Scheme: "https", Host: net.JoinHostPort(host, port)}, who: "the service account of rotad's pod"}
	token, err := readFile(filepath.Join(accountDir, "token"))
	if errors.Is(err, fs.ErrNotExist) {
		return a, errors.New("rotad's pod has no token of its service account: set automountServiceAccountToken, or write kubeconfig_file")
	}
	if err != nil {
		return a, err
	}
	a.token = trimmed(token)
	pem, err := readFile(filepath.Join(accountDir, "ca.crt"))
	if err != nil {
		return a, err
	}
	a.authorities, err = pool(pem)
	return a, err
}

// trimmed is a token as a header takes it: files end with a line.
func trimmed(text []byte) credential.Sensitive {
	return credential.NewSensitive(strings.TrimSpace(string(text)))
}

var errNoAuthority = errors.New("the certificate authority of the server is no certificate in PEM")

func pool(pem []byte) (*x509.CertPool, error) {
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		return nil, errNoAuthority
	}
	return p, nil
}

// maxFile bounds the files that are read here, in bytes.
const maxFile = 1 << 20

// readFile reads a file that has to hold something.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the configuration, or the kubeconfig that it names, says so
	if err != nil {
		return nil, err // it names the path
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxFile:
		return nil, fmt.Errorf("%s is larger than 1 MiB", path)
	case strings.TrimSpace(string(text)) == "":
		return nil, fmt.Errorf("%s is empty", path)
	}
	return text, nil
}

// connection is one transport for one Server. It is not an *http.Transport by itself, so that look, write and look go over
// one connection: a patch names a version, so that one whose answer is lost may be sent again.
type connection struct{ *http.Transport }

// connect makes the transport that a Server asks over.
func (a access) connect() connection {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.authorities, ServerName: a.serverName}
	if a.certificate != nil {
		config.Certificates = []tls.Certificate{*a.certificate}
	}
	return connection{&http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 256 << 10,
	}}
}
