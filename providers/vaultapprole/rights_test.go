package vaultapprole_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/vaultapprole"
)

// answering is a Vault whose token may do what held says, and nothing else.
func answering(t *testing.T, values string, held map[string][]string) (providers.RightsReader, *[]string) {
	t.Helper()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Paths []string `json:"paths"`
		}
		raw, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/v1/sys/capabilities-self" || json.Unmarshal(raw, &q) != nil {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
		asked = append(asked, q.Paths...)
		data := map[string]any{}
		for _, path := range q.Paths {
			data[path] = held[path]
			if held[path] == nil {
				data[path] = []string{"deny"}
			}
			if held["*"] != nil {
				data[path] = held["*"]
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
	}))
	t.Cleanup(server.Close)
	p, err := vaultapprole.Kind().Open(providers.Opening{
		Name: "vault", Settings: &vaultapprole.Settings{Address: server.URL, Mount: "teams/approle", Values: values, TokenFile: "f"},
		Secret: func(string) (string, error) { return "token", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	reader, ok := providers.AsRightsReader(p)
	if !ok {
		t.Fatal("the rights of the token cannot be read")
	}
	return reader, &asked
}

const at = "auth/teams/approle/role/billing"

// least is the policy of this kind's README, for values that Vault chooses.
func least() map[string][]string {
	return map[string][]string{
		at: {"read"}, at + "/role-id": {"read"}, at + "/secret-id": {"list", "update"},
		at + "/secret-id-accessor/lookup": {"update"}, at + "/secret-id-accessor/destroy": {"update"},
	}
}

func TestRightsAtARole(t *testing.T) {
	lookOnly, wide, listless := least(), least(), least()
	delete(lookOnly, at+"/secret-id-accessor/destroy")
	lookOnly[at+"/secret-id"] = []string{"list"}
	wide[at], wide[at+"/secret-id"] = []string{"delete", "read", "sudo"}, []string{"create", "list", "update"}
	listless[at+"/secret-id"] = []string{"update"}
	for name, test := range map[string]struct {
		values        string
		held          map[string][]string
		missing, wide []string
	}{
		"the least": {"server", least(), nil, nil},
		"values of rotad's own": {
			"own", least(), []string{"rotate: update on " + at + "/custom-secret-id", "look: update on " + at + "/secret-id/lookup"}, nil,
		},
		"to look": {
			"server", lookOnly, []string{"rotate: update on " + at + "/secret-id", "rotate: update on " + at + "/secret-id-accessor/destroy"}, nil,
		},
		"not even that": {"server", listless, []string{"look: list on " + at + "/secret-id"}, nil},
		"too wide":      {"server", wide, nil, []string{"delete on " + at, "sudo on " + at}},
		"root":          {"own", map[string][]string{"*": {"root"}}, nil, []string{"root"}},
	} {
		t.Run(name, func(t *testing.T) {
			reader, _ := answering(t, test.values, test.held)
			rights, err := reader.Rights(t.Context(), []providers.Target{{Client: "billing", Ref: credential.Ref{"role": "billing"}}})
			if err != nil {
				t.Fatal(err)
			}
			var missing, wide []string
			for _, r := range rights {
				if r.Missing() {
					missing = append(missing, string(r.Need)+": "+r.Name)
				}
				if r.TooWide() && !slices.Contains(wide, r.Name) {
					wide = append(wide, r.Name)
				}
			}
			if strings.Join(missing, "\n") != strings.Join(test.missing, "\n") || strings.Join(wide, "\n") != strings.Join(test.wide, "\n") {
				t.Errorf("missing:\n%s\ntoo wide:\n%s", strings.Join(missing, "\n"), strings.Join(wide, "\n"))
			}
		})
	}
}
