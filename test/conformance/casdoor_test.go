package conformance_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/casdoor"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/test/servers"
)

const casdoorFirst = "first secret+with/odd=&chars"

// TestConformanceCasdoor runs the suite against a real Casdoor, and asks it what the suite does not.
func TestConformanceCasdoor(t *testing.T) {
	cache, err := servers.OpenCache()
	must(t, err)
	dir, err := servers.TempDir()
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c, err := servers.StartCasdoor(t.Context(), cache, "..", dir)
	must(t, err)
	t.Cleanup(c.Stop)
	providertest.Run(t, func(t *testing.T) providertest.World {
		t.Helper()
		return casdoorWorld(t, c)
	})
	t.Run("everything else is kept", func(t *testing.T) { keepsTheApplication(t, c) })
	t.Run("an application without a secret", func(t *testing.T) { letsEverybodyIn(t, c) })
	t.Run("a whole server", func(t *testing.T) { walksCasdoor(t, c) })
	t.Run("the rights of rotad's application", func(t *testing.T) {
		if missing, wide := readRights(t, openCasdoor(t, c, c.OwnValue, nil)); len(missing)+len(wide) > 0 {
			t.Errorf("missing %v, too wide %v", missing, wide)
		}
	})
	t.Run("a login that is refused", func(t *testing.T) {
		must(t, c.Register(t.Context(), "guarded", casdoorFirst))
		p := openCasdoor(t, c, "wrong", nil)
		if _, err := p.Inspect(t.Context(), applicationOf("guarded")); providers.ClassOf(err) != providers.ClassAuth {
			t.Errorf("a look: %v", err)
		}
		if _, err := p.Create(t.Context(), applicationOf("guarded"), providers.Request{}); providers.ClassOf(err) != providers.ClassAuth {
			t.Errorf("a create: %v", err)
		}
	})
}

func applicationOf(name string) providers.Target {
	return providers.Target{Client: name, Ref: credential.Ref{"application": "admin/" + name}}
}

func openCasdoor(t *testing.T, c *servers.Casdoor, own string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := casdoor.Kind().Open(providers.Opening{
		Name: "door", Settings: &casdoor.Settings{URL: c.URL, ClientID: c.OwnID}, Transport: transport, Elapsed: elapsed(),
		Secret: func(string) (string, error) { return own, nil },
	})
	must(t, err)
	return p
}

// keepsTheApplication: a rotation changes the secret of an application and nothing else of it.
func keepsTheApplication(t *testing.T, c *servers.Casdoor) {
	t.Helper()
	name := "app-" + strings.ToLower(rand.Text()[:8])
	must(t, c.Register(t.Context(), name, casdoorFirst))
	before, err := c.Application(t.Context(), name)
	must(t, err)
	issued, err := openCasdoor(t, c, c.OwnValue, nil).Create(t.Context(), applicationOf(name), providers.Request{})
	must(t, err)
	after, err := c.Application(t.Context(), name)
	must(t, err)
	if len(before) < 20 {
		t.Fatalf("an application of %d members: this shows nothing", len(before))
	}
	for member, value := range before {
		if !equalJSON(value, after[member]) {
			t.Errorf("%s was %s, and is %s", member, value, after[member])
		}
	}
	if ok, err := c.Accepts(t.Context(), name, issued.Bundle.Secret().Reveal()); !ok {
		t.Errorf("another secret was set: %v", err)
	}
}

func equalJSON(a, b json.RawMessage) bool {
	var one, two any
	return json.Unmarshal(a, &one) == nil && json.Unmarshal(b, &two) == nil && reflect.DeepEqual(one, two)
}

// letsEverybodyIn: what somebody's partial update leaves is refused, because anything is let in there and nothing would be proved.
func letsEverybodyIn(t *testing.T, c *servers.Casdoor) {
	t.Helper()
	name := "app-" + strings.ToLower(rand.Text()[:8])
	must(t, c.Register(t.Context(), name, casdoorFirst))
	must(t, c.Blank(t.Context(), name))
	if ok, err := c.Accepts(t.Context(), name, ""); !ok {
		t.Fatalf("it lets nobody in (%v): this shows nothing", err)
	}
	p := openCasdoor(t, c, c.OwnValue, nil)
	if _, err := p.Inspect(t.Context(), applicationOf(name)); providers.ClassOf(err) != providers.ClassUnsupported {
		t.Errorf("a look: %v", err)
	}
	if _, err := p.Create(t.Context(), applicationOf(name), providers.Request{}); providers.ClassOf(err) != providers.ClassUnsupported {
		t.Errorf("a create: %v", err)
	}
}

// walksCasdoor walks more than one page, while an application that has passed is deleted: no other is missed.
func walksCasdoor(t *testing.T, c *servers.Casdoor) {
	t.Helper()
	const n = 120
	for i := range n {
		must(t, c.Register(t.Context(), fmt.Sprintf("walk-%03d", i), casdoorFirst))
	}
	lister, ok := providers.AsLister(openCasdoor(t, c, c.OwnValue, nil))
	if !ok {
		t.Fatal("casdoor cannot be walked")
	}
	seen := map[string]bool{}
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		page, err := lister.List(t.Context(), cursor)
		must(t, err)
		for _, one := range page.Clients {
			seen[one.Ref["application"]] = one.Whole
		}
		if cursor = page.Next; pages == 0 {
			must(t, c.Forget(t.Context(), "walk-001"))
		}
		if pages > 10 {
			t.Fatal("the walk does not end")
		}
	}
	for i := range n {
		if id := fmt.Sprintf("admin/walk-%03d", i); !seen[id] {
			t.Errorf("%s was not met, or not whole", id)
		}
	}
}

func casdoorWorld(t *testing.T, c *servers.Casdoor) providertest.World {
	t.Helper()
	name := "app-" + strings.ToLower(rand.Text()[:8])
	must(t, c.Register(t.Context(), name, casdoorFirst))
	creates := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/update-application") }
	count := &counter{creates: creates}
	return providertest.World{
		Name: "door", Transport: count, Target: applicationOf(name), Unknown: applicationOf("nobody"), Field: credential.FieldClientSecret,
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive("id-of-" + name), credential.FieldClientSecret: credential.NewSensitive(casdoorFirst),
		},
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			t.Helper()
			return openCasdoor(t, c, c.OwnValue, transport)
		},
		Creates: creates, Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/access_token") },
		Created: func() int { return int(count.made.Load()) },
		Accepts: func(b credential.Bundle) bool {
			ok, err := c.Accepts(t.Context(), name, b.Secret().Reveal())
			must(t, err)
			return ok
		},
		Canaries: []string{c.OwnValue, casdoorFirst},
	}
}
