package main

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/sandbox"
)

// The names of the story's world.
const (
	storyTenant  = "contoso.example.com"
	storyApp     = "22222222-2222-4222-8222-222222222222"
	storyReader  = "the-token-of-a-consumer"
	storyCluster = "the-token-for-the-cluster"
)

// addStory gives a script what a story of many consumers needs: an application with several passwords, a cluster and what
// mounts its Secret as a kubelet does, a mail server, and a token of Vault that reads one path.
func (w *scriptWorld) addStory(e *testscript.Env, vault, idp string) error {
	const first = "the-first-secret-of-five"
	w.kv.Put("secret", "apps/five", map[string]any{"client_id": storyApp, "client_secret": first})
	w.kv.AddToken(storyReader, 0, sandbox.KVGrant{Path: "secret/data/apps/five", Capabilities: []string{"read"}})
	w.kv.SetRole(storyReader, "poller")
	entries, err := os.OpenFile(filepath.Join(e.WorkDir, "audit.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	e.Defer(func() { _ = entries.Close() })
	w.kv.AuditTo(entries)
	for _, r := range []sandbox.Registration{
		{ClientID: storyApp, Name: "five", Secret: first, TTL: 90 * 24 * time.Hour},
		{ClientID: "rotad-entra", Secret: "the-secret-of-rotad", Admin: true},
	} {
		if err := w.idp.Register(r); err != nil {
			return err
		}
	}
	if err := addCluster(e); err != nil {
		return err
	}
	mailbox := sandbox.NewMailbox(time.Now, filepath.Join(e.WorkDir, "mail"))
	at, err := mailbox.Listen(context.Background(), "127.0.0.1:0")
	if err != nil {
		return err
	}
	e.Defer(func() { _ = mailbox.Close() })
	reload, err := freeAddress()
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(at.String())
	for name, value := range map[string]string{
		"MAIL_PORT": port, "RELOAD": reload, "IDP": idp, "LOGIN": idp + "/login/" + storyTenant + "/oauth2/v2.0/token",
		"BUNDLE": vault + "/v1/secret/data/apps/five", "READER": storyReader,
	} {
		e.Setenv(name, value)
	}
	return err
}

// addCluster starts a cluster, writes a kubeconfig for it, and keeps the directory "pod" as a kubelet keeps a mounted Secret.
func addCluster(e *testscript.Env) error {
	cluster := sandbox.NewCluster("billing")
	cluster.Allow(storyCluster, "get", "create", "patch")
	server := httptest.NewUnstartedServer(cluster)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	e.Defer(server.Close)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mount(ctx, cluster, filepath.Join(e.WorkDir, "pod")) }()
	e.Defer(func() {
		stop()
		if err := <-ended; err != nil {
			e.T().Log("the kubelet: ", err)
		}
	})
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return os.WriteFile(filepath.Join(e.WorkDir, "kubeconfig"), fmt.Appendf(nil, `current-context: main
contexts: [{name: main, context: {cluster: here, user: rotad}}]
clusters: [{name: here, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: rotad, user: {token: %s}}]
`, server.URL, base64.StdEncoding.EncodeToString(authority), storyCluster), 0o600)
}

// mount writes each new state of the Secret into a directory of its own and then lets one link lead there: whoever reads through
// the link reads one state, and never parts of two.
func mount(ctx context.Context, cluster *sandbox.Cluster, dir string) error {
	var seen string
	for pulse := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			pulse.Stop()
			return nil
		case <-pulse.C:
		}
		secret := cluster.Object("billing", "five")
		if secret == nil {
			continue
		}
		meta, _ := secret["metadata"].(map[string]any)
		if version := fmt.Sprint(meta["resourceVersion"]); version != seen {
			if err := mountState(dir, version, secret); err != nil {
				return err
			}
			seen = version
		}
	}
}

func mountState(dir, version string, secret map[string]any) error {
	state := filepath.Join(dir, ".."+version)
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	data, _ := secret["data"].(map[string]any)
	for key, value := range data {
		plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(fmt.Sprint(value)))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(state, key), plain, 0o600); err != nil {
			return err
		}
	}
	if err := os.Symlink(".."+version, filepath.Join(dir, "..next")); err != nil {
		return err
	}
	return os.Rename(filepath.Join(dir, "..next"), filepath.Join(dir, "..data"))
}
