package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
)

func TestOktaDeletesOnlyWhatIsSwitchedOff(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "first"})
	const path = sandbox.PathOkta + "/api/v1/apps/c/credentials/secrets"
	ask := func(method, path, login string) (int, map[string]any) {
		r := w.request(method, path, "{}")
		r.Header.Set("Authorization", login)
		return w.call(r)
	}
	first := w.idp.Secrets("c")[0].ID
	step := func(name, method, path string, want int) map[string]any {
		t.Helper()
		status, body := ask(method, path, "SSWS "+admin)
		if status != want {
			t.Errorf("%s: HTTP %d, want %d", name, status, want)
		}
		return body
	}
	step("switching the only one off", http.MethodPost, path+"/"+first+"/lifecycle/deactivate", 400)
	made := step("another one", http.MethodPost, path, 201)
	second, _ := made["client_secret"].(string)
	w.expectLogin("c", "first", 200)
	w.expectLogin("c", second, 200)
	step("a third one", http.MethodPost, path, 400)
	step("deleting one that is in use", http.MethodDelete, path+"/"+first, 400)
	if off := step("switching it off", http.MethodPost, path+"/"+first+"/lifecycle/deactivate", 200); off["status"] != "INACTIVE" {
		t.Errorf("status %v", off["status"])
	}
	w.expectLogin("c", "first", 401)
	step("one that is switched off takes a place", http.MethodPost, path, 400)
	step("deleting it", http.MethodDelete, path+"/"+first, 204)
	step("deleting it again", http.MethodDelete, path+"/"+first, 404)
	w.expectLogin("c", second, 200)
	step("an unknown application", http.MethodGet, sandbox.PathOkta+"/api/v1/apps/none/credentials/secrets", 404)
	if status, _ := ask(http.MethodGet, path, "Bearer "+admin); status != 401 {
		t.Errorf("a token without its scheme: HTTP %d", status)
	}
}
