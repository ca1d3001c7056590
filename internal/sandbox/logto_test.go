package sandbox_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

func TestLogtoKeepsNamedSecretsSideBySide(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "first"})
	const path = sandbox.PathLogto + "/api/applications/c/secrets"
	status, body := w.api(http.MethodPost, path, `{"name":"rotad-1","expiresAt":1803902400000}`)
	second, _ := body["value"].(string)
	if status != 201 || second == "" || body["expiresAt"] != 1803902400000.0 || body["createdAt"] != float64(w.now().UnixMilli()) {
		t.Fatalf("HTTP %d: name %v, expires %v", status, body["name"], body["expiresAt"])
	}
	w.expectLogin("c", "first", 200)
	w.expectLogin("c", second, 200)
	for request, want := range map[[2]string]int{
		{path, `{"name":"rotad-1"}`}: 422, // the name is in use
		{path, `{"name":""}`}:        400,
		{path, `{`}:                  400,
		{sandbox.PathLogto + "/api/applications/none/secrets", ``}: 404,
	} {
		if status, _ := w.api(http.MethodPost, request[0], request[1]); status != want {
			t.Errorf("%s %s: HTTP %d, want %d", request[0], request[1], status, want)
		}
	}
	for i, want := range []int{204, 404} {
		if status, _ := w.api(http.MethodDelete, path+"/Default%20secret", ""); status != want {
			t.Errorf("delete %d: HTTP %d, want %d", i+1, status, want)
		}
	}
	w.expectLogin("c", "first", 401)
	w.expectLogin("c", second, 200)
	w.advance(400 * 24 * time.Hour)
	w.expectLogin("c", second, 401) // it ends when it was told to
	if status, _ := w.call(w.request(http.MethodGet, path, "")); status != 401 {
		t.Errorf("without a token: HTTP %d", status)
	}
}

func TestLogtoOnABadDay(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "first"})
	const path = sandbox.PathLogto + "/api/applications/c/secrets"
	w.faults.StatusAfter(sandbox.When{Method: http.MethodPost, Path: "/secrets"}, 500)
	if status, _ := w.api(http.MethodPost, path, `{"name":"rotad-1"}`); status != 500 || w.idp.Made("c") != 2 {
		t.Errorf("HTTP %d, %d made: the secret is there although the answer says no", status, w.idp.Made("c"))
	}
	w.faults.Status(sandbox.When{Method: http.MethodPost, Path: "/secrets"}, 429, time.Second)
	if status, _ := w.api(http.MethodPost, path, `{"name":"rotad-2"}`); status != 429 || w.idp.Made("c") != 2 {
		t.Errorf("HTTP %d, %d made", status, w.idp.Made("c"))
	}
}
