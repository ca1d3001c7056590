package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
)

func TestGateCutsWhatIsAskedWhileItIsShut(t *testing.T) {
	var gate sandbox.Gate
	served := 0
	server := httptest.NewServer(gate.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served++
		w.WriteHeader(http.StatusTeapot)
	})))
	defer server.Close()
	for _, shut := range []bool{false, true, false} {
		gate.Set(shut)
		if status := asked(t, server, "/"); (status == 0) != shut || status != 0 && status != http.StatusTeapot {
			t.Errorf("shut %t: status %d", shut, status)
		}
	}
	if served != 2 {
		t.Errorf("served %d requests, want 2", served)
	}
}

func TestGateSpoilsOneAnswerAfterItsRequestWasServed(t *testing.T) {
	for name, cut := range map[string]bool{"the answer leaves": false, "the answer is lost": true} {
		t.Run(name, func(t *testing.T) {
			var gate sandbox.Gate
			var order []string
			server := httptest.NewServer(gate.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				order = append(order, r.URL.Path)
			})))
			defer server.Close()
			gate.Spoil(func(r *http.Request) bool { return r.URL.Path == "/create" }, func() bool {
				order = append(order, "spoiled")
				return cut
			})
			lost := 0
			for _, path := range []string{"/look", "/create", "/create"} {
				if asked(t, server, path) == 0 {
					lost++
				}
			}
			if got := strings.Join(order, " "); got != "/look /create spoiled /create" || (lost == 1) != cut {
				t.Errorf("%s, %d answers lost", got, lost)
			}
		})
	}
}

// asked returns the status of an answer; 0 = none came. A POST is never repeated by the client itself.
func asked(t *testing.T, server *httptest.Server, path string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}
