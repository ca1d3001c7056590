package programs_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/exec"
	"github.com/rotad/rotad/providers/providertest"
)

const (
	firstSecret = `first "secret" + 50% \ & more`
	ownSecret   = "rotads own/secret=of+the&program"
	ownToken    = "rotads-own.bearer~token"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// program is a copy of an example that only its owner can write, whatever the umask of the checkout. With an interpreter
// its first line is replaced: what stands there is looked up in PATH, which on some machines is a wrapper.
func program(t *testing.T, name, interpreter string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../providers/exec/examples", name))
	must(t, err)
	if interpreter != "" {
		_, rest, _ := bytes.Cut(text, []byte("\n"))
		text = append([]byte("#!"+interpreter+"\n"), rest...)
	}
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, text, 0o700))
	return path
}

// python is the interpreter itself.
func python(t *testing.T) string {
	t.Helper()
	out, err := osexec.CommandContext(t.Context(), "python3", "-c", "import sys; print(sys.executable)").Output()
	must(t, err)
	return strings.TrimSpace(string(out))
}

// ticking is a clock that goes on by a second whenever it is read, so that no two secrets begin at the same time.
func ticking() func() time.Time {
	var mu sync.Mutex
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
}

// stage is a stand-in of the sandbox, and what the programs write to stderr.
type stage struct {
	idp    *sandbox.IdP
	server string
	log    *lockedBuffer
}

type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func newStage(t *testing.T, s sandbox.Settings) *stage {
	t.Helper()
	st := &stage{idp: sandbox.NewIdP(ticking(), s), log: &lockedBuffer{}}
	for _, r := range []sandbox.Registration{
		{ClientID: "rotad", Secret: ownSecret, Admin: true}, {ClientID: "billing", Secret: firstSecret, TTL: 365 * 24 * time.Hour},
	} {
		must(t, st.idp.Register(r))
	}
	server := httptest.NewServer(st.idp.Handler())
	t.Cleanup(server.Close)
	st.server = server.URL
	return st
}

func (st *stage) open(t *testing.T, file, credential string, settings func(address string) map[string]string) func(*testing.T, http.RoundTripper) providers.Provider {
	t.Helper()
	return func(t *testing.T, transport http.RoundTripper) providers.Provider {
		t.Helper()
		p, err := exec.Kind().Open(providers.Opening{
			Name: "portal", Log: slog.New(slog.NewTextHandler(st.log, nil)),
			Settings: &exec.Settings{
				ProgramFile: file, Environment: map[string]string{"PATH": "/usr/local/bin:/usr/bin:/bin"},
				Settings: settings(providertest.Bridge(t, st.server, transport)), CredentialFile: "unused",
			},
			Secret: func(string) (string, error) { return credential, nil },
		})
		must(t, err)
		return p
	}
}

// world is what both programs have in common. Nothing that they do may be worth a line on stderr.
func (st *stage) world(t *testing.T, ref string) providertest.World {
	t.Cleanup(func() {
		st.log.mu.Lock()
		defer st.log.mu.Unlock()
		if text, _ := io.ReadAll(&st.log.all); len(text) > 0 {
			t.Errorf("the program wrote to stderr: %s", text)
		}
	})
	return providertest.World{
		Name: "portal", Bridged: true,
		Target:  providers.Target{Client: "billing-api", Ref: credential.Ref{ref: "billing"}},
		Unknown: providers.Target{Client: "nobody", Ref: credential.Ref{ref: "nobody"}},
		Bundle: credential.Bundle{
			credential.FieldClientID:     credential.NewSensitive("billing"),
			credential.FieldClientSecret: credential.NewSensitive(firstSecret),
		},
		Field:    credential.FieldClientSecret,
		Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
		Created:  func() int { return st.idp.Made("billing") },
		Accepts: func(b credential.Bundle) bool {
			answer, _ := st.idp.Login(t.Context(), b)
			return answer == providers.Accepted
		},
		Canaries: []string{ownSecret, ownToken, firstSecret},
	}
}

// both runs the suite with clients that log in by one method, and asks about a secret by the other one as well.
func both(t *testing.T, build func(t *testing.T) providertest.World) {
	t.Run("suite", func(t *testing.T) { providertest.Run(t, build) })
	t.Run("post", func(t *testing.T) {
		w := build(t)
		w.Target.Verify.Auth = "post"
		p := w.Open(t, http.DefaultTransport)
		wrong := credential.Bundle{w.Field: credential.NewSensitive(`a b+c&d=e/f:g%h"<ü>\`)}
		wrong[credential.FieldClientID] = w.Bundle[credential.FieldClientID]
		for want, bundle := range map[providers.Answer]credential.Bundle{providers.Accepted: w.Bundle, providers.Refused: wrong} {
			if got, err := p.Verify(t.Context(), w.Target, bundle); got != want {
				t.Errorf("%s, want %s (%v)", got, want, err)
			}
		}
		checker, _ := providers.AsChecker(p)
		if findings := checker.Check(t.Context()); len(findings) > 0 {
			t.Errorf("%+v", findings)
		}
	})
}

func TestTheExampleInPython(t *testing.T) {
	file := program(t, "two_slot.py", python(t))
	both(t, func(t *testing.T) providertest.World {
		st := newStage(t, sandbox.Settings{})
		w := st.world(t, "app_id")
		w.Expires = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		w.Creates = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/addPassword") }
		w.Open = st.open(t, file, ownSecret, func(address string) map[string]string {
			return map[string]string{
				"graph": address + sandbox.PathGraph, "login": address + sandbox.PathLogin + "/tenant", "client_id": "rotad",
			}
		})
		return w
	})
}

func TestTheExampleInShell(t *testing.T) {
	file := program(t, "grace_window.sh", "")
	both(t, func(t *testing.T) providertest.World {
		st := newStage(t, sandbox.Settings{AdminToken: ownToken})
		w := st.world(t, "client_id")
		w.Creates = func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/clients/")
		}
		w.Open = st.open(t, file, ownToken, func(address string) map[string]string {
			return map[string]string{"url": address + sandbox.PathTelicent}
		})
		return w
	})
}

// Nothing listens: whoever reads that nobody connected knows that nothing happened.
func TestARefusedConnectionIsNoUnknownOutcome(t *testing.T) {
	for _, file := range []string{program(t, "two_slot.py", python(t)), program(t, "grace_window.sh", "")} {
		closed := httptest.NewServer(nil)
		closed.Close()
		p, err := exec.Kind().Open(providers.Opening{Name: "portal", Settings: &exec.Settings{
			ProgramFile: file, Environment: map[string]string{"PATH": "/usr/local/bin:/usr/bin:/bin"}, CredentialFile: "unused",
			Settings: map[string]string{"url": closed.URL, "graph": closed.URL, "login": closed.URL, "client_id": "rotad"},
		}, Secret: func(string) (string, error) { return ownSecret, nil }})
		must(t, err)
		_, err = p.Create(t.Context(), providers.Target{Ref: credential.Ref{"client_id": "billing", "app_id": "billing"}}, providers.Request{})
		if providers.ClassOf(err) != providers.ClassUnavailable {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}
