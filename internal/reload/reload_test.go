package reload_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/reload"
)

func do(t *testing.T, r credential.Reload, wrong string) {
	t.Helper()
	err := reload.Do(t.Context(), r, credential.Occasion{})
	if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
		t.Errorf("%s: %v, want %q", r.What(), err, wrong)
	}
}

func TestCommand(t *testing.T) {
	made := filepath.Join(t.TempDir(), "made")
	do(t, credential.Reload{Command: []string{"/bin/sh", "-c", "env > " + made}}, "")
	text, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, _, _ := strings.Cut(line, "="); name != "PATH" && name != "LANG" && name != "PWD" && name != "_" && name != "SHLVL" && name != "OLDPWD" {
			t.Errorf("the command was given %s", name)
		}
	}
	do(t, credential.Reload{Command: []string{"/bin/sh", "-c", "echo a-secret; exit 3"}}, "it ended with exit status 3")
	do(t, credential.Reload{Command: []string{"/no/such/program"}}, "no such file or directory")
	do(t, credential.Reload{}, "nothing is to be done")
}

// A command that hangs is ended with all that it has started.
func TestACommandThatHangsIsEnded(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- reload.Do(ctx, credential.Reload{Command: []string{"/bin/sh", "-c", "sleep 1000 & echo $! > " + pid + ".new; mv " + pid + ".new " + pid + "; wait"}}, credential.Occasion{})
	}()
	number := 0
	eventually(t, "the command has started", func() bool {
		text, err := os.ReadFile(pid)
		if err != nil {
			return false
		}
		number, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	cancel()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "was ended") {
		t.Errorf("%v", err)
	}
	eventually(t, "what it has started has ended", func() bool { return gone(number) })
}

// gone says whether a process has ended; one that nobody has asked about yet counts as well.
func gone(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(text), ") Z ")
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("still not: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestSignal(t *testing.T) {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR2)
	defer signal.Stop(got)
	file := filepath.Join(t.TempDir(), "pid")
	write := func(text string) *credential.SignalReload {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return &credential.SignalReload{PIDFile: file, Signal: "USR2"}
	}
	do(t, credential.Reload{Signal: write(fmt.Sprintln(os.Getpid()))}, "")
	<-got
	for text, wrong := range map[string]string{"-1": "does not begin with the number", "0": "does not begin", "1": "does not begin", "": "does not begin"} {
		do(t, credential.Reload{Signal: write(text)}, wrong)
	}
	dead := exec.CommandContext(t.Context(), "/bin/true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	do(t, credential.Reload{Signal: write(strconv.Itoa(dead.Process.Pid))}, "the pid file is old")
	do(t, credential.Reload{Signal: &credential.SignalReload{PIDFile: file + "x"}}, "reading the pid file")
	do(t, credential.Reload{Signal: &credential.SignalReload{PIDFile: file, Signal: "KILL"}}, "no signal KILL")
}

func TestRequest(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		case "/no":
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, credential.Reload{Request: &credential.RequestReload{URL: server.URL + "/yes"}}, "")
	do(t, credential.Reload{Request: &credential.RequestReload{URL: server.URL + "/yes", Method: "PUT", TokenFile: token}}, "")
	do(t, credential.Reload{Request: &credential.RequestReload{URL: server.URL + "/no"}}, "the consumer answered 403")
	do(t, credential.Reload{Request: &credential.RequestReload{URL: server.URL + "/away", TokenFile: token}}, "the consumer answered 307")
	do(t, credential.Reload{Request: &credential.RequestReload{URL: server.URL, TokenFile: token + "x"}}, "reading the token")
	server.Close()
	do(t, credential.Reload{Request: &credential.RequestReload{URL: server.URL}}, "connection refused")
	want := "POST /yes |PUT /yes Bearer a-token|POST /no |POST /away Bearer a-token"
	if got := strings.Join(seen, "|"); got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

func TestUnit(t *testing.T) {
	r := credential.Reload{Unit: &credential.UnitReload{Name: "billing.service"}}
	if r.What() != "systemctl reload-or-restart billing.service" {
		t.Error(r.What())
	}
	do(t, credential.Reload{Unit: &credential.UnitReload{Name: "no-unit-of-this-name.service", Action: "reload"}}, "systemctl reload no-unit-of-this-name.service: ")
}

func TestCheckDoesNothing(t *testing.T) {
	made := filepath.Join(t.TempDir(), "made")
	for _, test := range []struct {
		step credential.Reload
		want string
	}{
		{credential.Reload{Command: []string{"/bin/touch", made}}, ""},
		{credential.Reload{Command: []string{"/no/such/program"}}, "/no/such/program: no such file or directory; put it there"},
		{credential.Reload{Unit: &credential.UnitReload{Name: "no-unit-of-this-name.service"}}, ""},
		{credential.Reload{Rollout: &credential.RolloutReload{Namespace: "shop", Workload: "deployment/billing", Kubeconfig: made}}, "restart of deployment/billing in shop: reading the kubeconfig: open"},
	} {
		err := reload.Check(t.Context(), test.step)
		if (test.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.step.What(), err, test.want)
		}
	}
	if _, err := os.Stat(made); err == nil {
		t.Error("something was done")
	}
}
