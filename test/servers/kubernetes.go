package servers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

// Kubernetes is a kube-apiserver with its etcd. Objects are checked, admitted and stored as in a cluster; there are no
// controllers, no scheduler and no kubelet, so that no pod ever runs.
type Kubernetes struct {
	URL    string // https://127.0.0.1:port
	CAFile string // the certificate that it shows
	client *http.Client
	etcd   *Process
	server *Process
}

// KubernetesToken is the bearer token of somebody who may do everything.
const KubernetesToken = "admin"

// kubernetesVersion is what the server says that it is; a build from modules does not know it.
const kubernetesVersion = "v1.34.1"

// InstallHelm builds helm from its module and returns the program, which takes the version of Kubernetes below for its own
// where it asks no cluster. module is the directory of the tests' module.
func InstallHelm(ctx context.Context, cache Cache, module string) (string, error) {
	const pkg = "helm.sh/helm/v3/pkg/chartutil"
	stamp := fmt.Sprintf("-ldflags=-X %s.k8sVersionMajor=1 -X %s.k8sVersionMinor=34", pkg, pkg)
	return installGo(ctx, cache, module, "helm", "helm.sh/helm/v3/cmd/helm", stamp)
}

// InstallKubernetes builds etcd and kube-apiserver from their modules.
func InstallKubernetes(ctx context.Context, cache Cache, module string) (etcd, server string, err error) {
	if etcd, err = installGo(ctx, cache, module, "etcd", "go.etcd.io/etcd/server/v3"); err != nil {
		return "", "", err
	}
	const pkg = "k8s.io/component-base/version"
	stamp := fmt.Sprintf("-ldflags=-X %s.gitVersion=%s -X %s.gitMajor=1 -X %s.gitMinor=34", pkg, kubernetesVersion, pkg, pkg)
	server, err = installGo(ctx, cache, module, "apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", stamp)
	return etcd, server, err
}

// installGo builds a program that a module below servers/kubernetes pins.
func installGo(ctx context.Context, cache Cache, module, name, pkg string, flags ...string) (string, error) {
	return installTool(ctx, cache, module, "kubernetes/"+name, pkg, flags...)
}

// StartKubernetes starts an empty API server and waits until it is ready.
func StartKubernetes(ctx context.Context, cache Cache, module, dir string) (*Kubernetes, error) {
	etcd, server, err := InstallKubernetes(ctx, cache, module)
	if err != nil {
		return nil, err
	}
	k := &Kubernetes{CAFile: filepath.Join(dir, "kubernetes.crt")}
	if err = k.start(ctx, etcd, server, dir); err != nil {
		k.Stop()
		return nil, err
	}
	return k, nil
}

func (k *Kubernetes) start(ctx context.Context, etcd, server, dir string) error {
	key := filepath.Join(dir, "kubernetes.key")
	if err := writeCertificate(k.CAFile, key); err != nil {
		return err
	}
	if err := k.trust(); err != nil {
		return err
	}
	store, err := k.startEtcd(etcd, dir)
	if err != nil {
		return err
	}
	tokens := filepath.Join(dir, "tokens.csv")
	if err = os.WriteFile(tokens, []byte(KubernetesToken+`,admin,1,"system:masters"`+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the tokens of kubernetes: %w", err)
	}
	port, err := freeport.Loopback()
	if err != nil {
		return err
	}
	k.URL = fmt.Sprintf("https://127.0.0.1:%d", port)
	k.server, err = Launch(Spec{
		Name: "kube-apiserver", Path: server, Dir: dir, Log: filepath.Join(dir, "kube-apiserver.log"),
		Args: []string{
			"--etcd-servers=" + store, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
			fmt.Sprintf("--secure-port=%d", port), "--tls-cert-file=" + k.CAFile, "--tls-private-key-file=" + key,
			"--service-account-issuer=https://kubernetes.test", "--service-account-key-file=" + k.CAFile,
			"--service-account-signing-key-file=" + key, "--authorization-mode=RBAC", "--token-auth-file=" + tokens,
			"--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none",
		},
	})
	if err != nil {
		return err
	}
	return k.awaitReady(ctx)
}

// trust makes a client that accepts the server's certificate and no other.
func (k *Kubernetes) trust() error {
	pem, err := os.ReadFile(k.CAFile)
	if err != nil {
		return fmt.Errorf("reading the certificate of kubernetes: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return errors.New("reading the certificate of kubernetes: there is none")
	}
	k.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	return nil
}

func (k *Kubernetes) startEtcd(program, dir string) (address string, err error) {
	var ports [2]int
	for i := range ports {
		if ports[i], err = freeport.Loopback(); err != nil {
			return "", err
		}
	}
	address = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	peers := fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	k.etcd, err = Launch(Spec{
		Name: "etcd", Path: program, Dir: dir, Log: filepath.Join(dir, "etcd.log"),
		Args: []string{
			"--data-dir", filepath.Join(dir, "etcd"), "--listen-client-urls", address, "--advertise-client-urls", address,
			"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default=" + peers,
			"--log-level", "warn",
		},
	})
	return address, err
}

func (k *Kubernetes) awaitReady(ctx context.Context) error {
	err := Until(ctx, 2*time.Minute, 200*time.Millisecond, func(ctx context.Context) error {
		if err := errors.Join(k.etcd.ended(), k.server.ended()); err != nil {
			return err
		}
		return k.Ask(ctx, http.MethodGet, "/readyz", nil, nil)
	})
	if err != nil {
		return fmt.Errorf("waiting for kube-apiserver: %w\n%s", err, k.server.LogTail(10))
	}
	return nil
}

// Ask sends a request as somebody who may do everything. A refusal is a *StatusError.
func (k *Kubernetes) Ask(ctx context.Context, method, path string, in, out any) error {
	headers := map[string]string{"Authorization": "Bearer " + KubernetesToken}
	if method == http.MethodPatch {
		headers["Content-Type"] = "application/merge-patch+json"
	}
	return do(ctx, call{
		method: method, url: k.URL + path, headers: headers, json: in, out: out, client: k.client, limit: time.Minute,
	})
}

// Stop ends both servers.
func (k *Kubernetes) Stop() {
	k.server.Kill()
	k.etcd.Kill()
}

// operatorTypes is the package of the Prometheus operator's resources.
const operatorTypes = "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"

// MonitoringDefinitions makes the operator's CustomResourceDefinitions from its own types, and returns their directory.
func MonitoringDefinitions(ctx context.Context, cache Cache, module string) (string, error) {
	source := filepath.Join(module, "servers", "kubernetes", "monitoring")
	name, err := sourceName("monitoring", source)
	if err != nil {
		return "", err
	}
	return cache.Once(ctx, name, func(ctx context.Context, dir string) error {
		return run(ctx, source, "go", "tool", "controller-gen", "crd", "paths="+operatorTypes, "output:crd:dir="+dir)
	})
}
