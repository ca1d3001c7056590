package apiserver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/apiserver"
)

// certificate makes a certificate of its own, and its key, in PEM.
func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// kubeconfigOf writes a kubeconfig with one context, of what a cluster and a user have.
func (w *world) kubeconfigOf(cluster, user string) {
	w.write("kubeconfig", "current-context: main\ncontexts: [{name: main, context: {cluster: c, user: u}}]\n"+
		"clusters: [{name: c, cluster: {"+cluster+"}}]\nusers: [{name: u, user: {"+user+"}}]\n")
}

func TestKubeconfigsThatLeadThere(t *testing.T) {
	for name, test := range map[string]func(*world) (cluster, user string){
		"a token in the text":      func(w *world) (string, string) { return w.inline(), "token: " + token },
		"a token in a file":        func(w *world) (string, string) { return w.inline(), "tokenFile: token" },
		"a file before a token":    func(w *world) (string, string) { return w.inline(), "token: old, tokenFile: token" },
		"a file by its whole path": func(w *world) (string, string) { return w.inline(), "tokenFile: " + filepath.Join(w.dir, "token") },
		"an authority in a file": func(w *world) (string, string) {
			w.write("ca.crt", string(w.ca()))
			return `server: "` + w.server.URL + `", certificate-authority: ca.crt`, "token: " + token
		},
		"another name in the certificate": func(w *world) (string, string) {
			return w.inline() + ", tls-server-name: example.com", "token: " + token
		},
		"what rotad does not know": func(w *world) (string, string) {
			return w.inline() + ", extensions: []", "token: " + token + ", more: {}"
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.kubeconfigOf(test(w))
			if err := w.ask(); err != nil {
				t.Error(err)
			}
		})
	}
}

// inline is the cluster with its authority in the text.
func (w *world) inline() string {
	return `server: "` + w.server.URL + `", certificate-authority-data: ` + base64.StdEncoding.EncodeToString(w.ca())
}

func TestKubeconfigsThatAreRefused(t *testing.T) {
	other, key := certificate(t)
	for name, test := range map[string]struct {
		text func(*world) (cluster, user string)
		want string
	}{
		"a plugin":         {func(w *world) (string, string) { return w.inline(), "exec: {command: aws}" }, "by a plugin (exec), which is not supported"},
		"an auth provider": {func(w *world) (string, string) { return w.inline(), "auth-provider: {name: gcp}" }, "by an auth-provider, which is not supported"},
		"a password":       {func(w *world) (string, string) { return w.inline(), "username: a, password: " + canary }, "by a password, which is not supported"},
		"somebody else":    {func(w *world) (string, string) { return w.inline(), "as: root, token: " + token }, "acts as somebody else (as), which is not supported"},
		"no login":         {func(w *world) (string, string) { return w.inline(), "" }, "its user has no login"},
		"an empty file":    {func(w *world) (string, string) { w.write("empty", "\n"); return w.inline(), "tokenFile: empty" }, "empty is empty"},
		"a missing file":   {func(w *world) (string, string) { return w.inline(), "tokenFile: nowhere" }, "reading tokenFile: open"},
		"no verification": {
			func(w *world) (string, string) { return w.inline() + ", insecure-skip-tls-verify: true", "token: x" },
			"insecure-skip-tls-verify would hand the secret to anybody",
		},
		"a proxy of its own":    {func(w *world) (string, string) { return w.inline() + `, proxy-url: "http://a"`, "token: x" }, "proxy-url is not supported"},
		"http":                  {func(*world) (string, string) { return `server: "http://127.0.0.1:1"`, "token: x" }, "is no https:// URL"},
		"a password in the URL": {func(*world) (string, string) { return `server: "https://u:` + canary + `@h"`, "token: x" }, "is no https:// URL"},
		"no server":             {func(*world) (string, string) { return "", "token: x" }, "names no cluster that has a server"},
		"an authority of nobody": {func(w *world) (string, string) {
			return `server: "` + w.server.URL + `"`, "token: " + token
		}, "signed by an unknown authority"},
		"another authority": {func(w *world) (string, string) {
			return `server: "` + w.server.URL + `", certificate-authority-data: ` + base64.StdEncoding.EncodeToString(other), "token: " + token
		}, "the TLS connection was not made"},
		"another name": {func(w *world) (string, string) { return w.inline() + ", tls-server-name: b.test", "token: " + token }, "for another host name"},
		"an authority that is none": {func(w *world) (string, string) {
			return `server: "https://h", certificate-authority-data: aGVsbG8=`, "token: x"
		}, "no certificate in PEM"},
		"an authority not in base64": {func(w *world) (string, string) {
			return `server: "https://h", certificate-authority-data: "%"`, "token: x"
		}, "is not base64"},
		"a certificate without key": {func(w *world) (string, string) {
			w.write("c", string(other))
			return w.inline(), "client-certificate: c"
		}, "has no client-key"},
		"no pair": {func(w *world) (string, string) {
			w.write("c", string(other))
			w.write("k", strings.Replace(string(key), "MIG", canary, 1))
			return w.inline(), "client-certificate: c, client-key: k"
		}, "are no pair in PEM"},
		"not YAML": {func(*world) (string, string) { return "server: [" + canary, "" }, "it is not YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.kubeconfigOf(test.text(w))
			err := w.ask()
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if w.asked != 0 {
				t.Error("the server was asked")
			}
		})
	}
}

func TestContexts(t *testing.T) {
	w := newWorld(t)
	text := strings.Replace(w.kubeconfig(), "current-context: main", "", 1)
	for name, test := range map[string]struct{ text, context, want string }{
		"named":                 {text, "main", ""},
		"the current one":       {w.kubeconfig(), "", ""},
		"none is current":       {text, "", "it has no current-context"},
		"one that is not there": {text, "staging", `it has no context "staging"`},
		"no file":               {"", "", "is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			w.place = apiserver.Place{Kubeconfig: w.write("contexts", test.text), Context: test.context}
			err := w.ask()
			if (test.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	w.place.Kubeconfig = filepath.Join(w.dir, "nowhere")
	if err := w.ask(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// A client certificate is shown to the server, and is enough by itself.
func TestAClientCertificate(t *testing.T) {
	w := newWorld(t)
	cert, key := certificate(t)
	strict := httptest.NewUnstartedServer(w)
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(cert)
	strict.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known}
	strict.StartTLS()
	t.Cleanup(strict.Close)
	w.server = strict
	w.token = "" // who shows a certificate needs no token
	w.write("c", string(cert))
	w.write("k", string(key))
	encode := base64.StdEncoding.EncodeToString
	for name, user := range map[string]string{
		"files": "client-certificate: c, client-key: k",
		"data":  "client-certificate: nowhere, client-certificate-data: " + encode(cert) + ", client-key-data: " + encode(key),
	} {
		w.kubeconfigOf(w.inline(), user)
		if err := w.ask(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.kubeconfigOf(w.inline(), "token: "+token)
	if err := w.ask(); err == nil {
		t.Error("the server does not ask for a certificate: the test shows nothing")
	}
}

// The kubelet replaces the token of a pod every hour, and the old one ends.
func TestThePodsOwnAccount(t *testing.T) {
	w := newWorld(t)
	address, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(address.Host)
	if err != nil {
		t.Fatal(err)
	}
	apiserver.SetAccountDir(t, w.dir)
	w.place.Kubeconfig = ""
	deliver := func(want string) {
		t.Helper()
		err := w.ask()
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	deliver("rotad does not run in a pod of Kubernetes: write kubeconfig_file")
	t.Setenv("KUBERNETES_SERVICE_HOST", host)
	t.Setenv("KUBERNETES_SERVICE_PORT", port)
	deliver("ca.crt: no such file")
	w.write("ca.crt", "nothing")
	deliver("no certificate in PEM")
	w.write("ca.crt", string(w.ca()))
	deliver("")
	w.token = "the next one"
	deliver("the login of the service account of rotad's pod is not accepted")
	w.write("token", "the next one\n")
	deliver("")
	if err := os.Remove(filepath.Join(w.dir, "token")); err != nil {
		t.Fatal(err)
	}
	deliver("rotad's pod has no token of its service account")
}
