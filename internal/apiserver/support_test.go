package apiserver_test

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/rotad/rotad/internal/apiserver"
	"github.com/rotad/rotad/providers/httpapi"
)

const (
	token  = "token-of-rotad-in-this-test"
	canary = "what-no-error-of-this-test-may-repeat"
)

// world is a server that answers whoever shows its token, and a kubeconfig that leads to it.
type world struct {
	t      *testing.T
	token  string
	asked  int // how often a request came as far as this
	server *httptest.Server
	dir    string
	place  apiserver.Place
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, token: token, dir: t.TempDir()}
	w.server = httptest.NewUnstartedServer(w)
	w.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.server.StartTLS()
	t.Cleanup(w.server.Close)
	w.place = apiserver.Place{Kubeconfig: w.write("kubeconfig", w.kubeconfig())}
	w.write("token", token+"\n")
	return w
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.asked++
	want := "Bearer " + w.token
	if w.token == "" {
		want = ""
	}
	if r.Header.Get("Authorization") != want {
		rw.WriteHeader(http.StatusUnauthorized)
	}
}

// ask asks the server something.
func (w *world) ask() error {
	s, err := apiserver.Open(w.place)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Do(w.t.Context(), httpapi.Request{Operation: "get", Method: http.MethodGet, Path: "/version"})
	return err
}

func (w *world) write(file, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, file)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *world) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})
}

func (w *world) kubeconfig() string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: main
contexts: [{name: main, context: {cluster: here, user: rotad, namespace: elsewhere}}]
clusters: [{name: here, cluster: {server: "%s", certificate-authority-data: %s}}]
users: [{name: rotad, user: {tokenFile: token}}]
`, w.server.URL, base64.StdEncoding.EncodeToString(w.ca()))
}
