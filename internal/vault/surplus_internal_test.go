package vault

import (
	"strings"
	"testing"
)

func TestWhatIsHeldBeyondWhatIsUsed(t *testing.T) {
	for name, test := range map[string]struct{ had, used, want string }{
		"nothing":           {"deny", "", ""},
		"what is used":      {"create read update", "create read update", ""},
		"more":              {"create delete read sudo update", "create read update", "delete sudo"},
		"create beside":     {"create read update patch", "read patch update", ""}, // metadata that does not exist yet
		"create by itself":  {"create", "", "create"},
		"read of a foreign": {"read", "", "read"},
		"root":              {"root", "read", "root"},
	} {
		if got := strings.Join(beyond(strings.Fields(test.had), strings.Fields(test.used)), " "); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestASurplusIsSaidOncePerSort(t *testing.T) {
	var all []surplus
	for _, path := range []string{"secret/data/a", "secret/data/b", "secret/data/c"} {
		all = append(all, surplus{path: path, rights: []string{"delete"}})
	}
	all = append(all, surplus{path: "auth/token/create", rights: []string{"update"}, what: "it can make tokens"}, surplus{path: "secret/data/d", rights: []string{"update"}})
	var said []string
	for _, f := range tooWide(all) {
		if f.Problem || f.Hint == "" {
			t.Errorf("%+v", f)
		}
		said = append(said, strings.TrimPrefix(f.What, "right too wide: "))
	}
	want := "delete on secret/data/a and 2 more; update on auth/token/create: it can make tokens; update on secret/data/d"
	if got := strings.Join(said, "; "); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if got := tooWide(nil); len(got) != 0 {
		t.Errorf("of nothing it says %+v", got)
	}
}
