package main

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/gcp"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entracertificate"
	"github.com/rotad/rotad/providers/gcpoauthclient"
	"github.com/rotad/rotad/providers/gcpserviceaccount"
)

// cloudSecret is that of rotad's own application in Entra.
const cloudSecret = "the-secret-of-rotad-in-entra"

// addCloud gives a script a project of Google Cloud, where the service account export has a key and the OAuth client portal a secret that
// Vault hands out, and an application of Entra that has no certificate yet.
func (w *scriptWorld) addCloud(e *testscript.Env) error {
	google := sandbox.NewGoogle(time.Now, "acme-prod", sandbox.GoogleSettings{}, nil)
	own, err := google.Register("rotad", true)
	if err != nil {
		return err
	}
	first, err := google.Register("export", false)
	if err != nil {
		return err
	}
	key, err := gcp.ParseKey(credential.NewSensitive(first))
	if err != nil {
		return err
	}
	w.kv.Put("secret", "apps/export", map[string]any{"key_id": key.ID, "credentials": first, "note": "of somebody else"})
	id, err := google.RegisterClient("portal", "GOCSPX-the-first-of-the-portal")
	if err != nil {
		return err
	}
	w.kv.Put("secret", "apps/web", map[string]any{"client_id": id, "client_secret": "GOCSPX-the-first-of-the-portal"})
	server := httptest.NewServer(google.Handler())
	e.Defer(server.Close)
	e.Setenv("GOOGLE", server.URL)
	for _, r := range []sandbox.Registration{{ClientID: "rotad-keys", Secret: cloudSecret, Admin: true}, {ClientID: "signer"}} {
		if err := w.idp.Register(r); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"google.json": own, "cloud-secret": cloudSecret} {
		if err := os.WriteFile(filepath.Join(e.WorkDir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// cloud logs in with what a version of a client in Vault holds, and compares the answer: cloud accepted export 2.
func cloud(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: cloud accepted|refused export|web|signer version")
	}
	version, err := strconv.Atoi(args[2])
	ts.Check(err)
	bundle := scripted(ts).written(ts, "apps/"+args[1], version)
	o := providers.Opening{Name: "cloud", Secret: func(string) (string, error) { return "", nil }}
	kind, ref := gcpserviceaccount.Kind(), credential.Ref{"service_account": "export@acme-prod.iam.gserviceaccount.com"}
	o.Settings = &gcpserviceaccount.Settings{Project: "acme-prod", TokenFile: "none", TokenURL: ts.Getenv("GOOGLE") + sandbox.PathGoogleToken}
	switch args[1] {
	case "web":
		kind, ref = gcpoauthclient.Kind(), credential.Ref{"oauth_client": "portal"}
		o.Settings = &gcpoauthclient.Settings{Project: "acme-prod", TokenFile: "none", TokenURL: ts.Getenv("GOOGLE") + sandbox.PathGoogleOAuthToken}
	case "signer":
		kind, ref = entracertificate.Kind(), credential.Ref{"app_id": "signer"}
		o.Settings = &entracertificate.Settings{TenantID: storyTenant, ClientID: "rotad-keys", LoginURL: ts.Getenv("IDP") + sandbox.PathLogin}
	}
	p, err := kind.Open(o)
	ts.Check(err)
	answer, err := p.Verify(context.Background(), providers.Target{Ref: ref}, bundle)
	if answer.String() != args[0] {
		ts.Fatalf("the server says %s, %v", answer, err)
	}
}

// written returns what was written as a version of a path.
func (w *scriptWorld) written(ts *testscript.TestScript, path string, version int) credential.Bundle {
	for _, write := range w.kv.Writes() {
		if write.Path != path || write.Version != version || write.Data == nil {
			continue
		}
		bundle := credential.Bundle{}
		for name, value := range write.Data {
			if text, ok := value.(string); ok {
				bundle[name] = credential.NewSensitive(text)
			}
		}
		return bundle
	}
	ts.Fatalf("version %d of %s was not written", version, path)
	return nil
}
