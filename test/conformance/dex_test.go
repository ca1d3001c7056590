package conformance_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/dex"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/test/servers"
)

const dexFirst = "first secret+with/odd=&chars"

func startDex(t *testing.T) *servers.Dex {
	t.Helper()
	cache, err := servers.OpenCache()
	must(t, err)
	dir, err := servers.TempDir()
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d, err := servers.StartDex(t.Context(), cache, "..", dir)
	must(t, err)
	t.Cleanup(d.Stop)
	return d
}

// TestConformanceDex runs the suite against a real Dex, and asks it what the suite does not.
func TestConformanceDex(t *testing.T) {
	d := startDex(t)
	providertest.Run(t, func(t *testing.T) providertest.World {
		t.Helper()
		return dexWorld(t, d)
	})
	t.Run("everything else is kept", func(t *testing.T) { keepsTheRest(t, d) })
	t.Run("a copy that is left brings the client back", func(t *testing.T) { comesBack(t, d) })
	t.Run("a whole server", func(t *testing.T) { walksDex(t, d) })
	t.Run("the rights of whoever reaches it", func(t *testing.T) {
		if missing, wide := readRights(t, openDex(t, d, nil)); len(missing) > 0 || len(wide) != 1 {
			t.Errorf("missing %v, too wide %v, and nobody is asked for a certificate", missing, wide)
		}
	})
	t.Run("a static client", func(t *testing.T) {
		_, err := openDex(t, d, nil).Create(t.Context(), targetOf(servers.DexStatic, nil), providers.Request{})
		if providers.ClassOf(err) != providers.ClassUnsupported {
			t.Errorf("%v", err)
		}
		if ok, err := d.Accepts(t.Context(), servers.DexStatic, servers.DexStaticSecret); !ok {
			t.Errorf("its secret is no longer right: %v", err)
		}
	})
}

// keepsTheRest: name, addresses, logo and peers of a client are what they were, and nothing is left behind.
func keepsTheRest(t *testing.T, d *servers.Dex) {
	t.Helper()
	id := "client-" + rand.Text()[:8]
	about := map[uint64]string{1: id, 2: dexFirst, 3: "https://example.com/callback", 4: "a-peer", 6: "Billing <&>", 7: "https://example.com/logo.png"}
	must(t, d.Register(t.Context(), about))
	before, err := d.Client(t.Context(), id)
	must(t, err)
	issued, err := openDex(t, d, nil).Create(t.Context(), targetOf(id, nil), providers.Request{})
	must(t, err)
	after, err := d.Client(t.Context(), id)
	must(t, err)
	if len(after)-len(before) > 40 || len(after) < len(before) {
		t.Errorf("%d bytes became %d: more than the secret has changed", len(before), len(after))
	}
	for number, value := range about {
		if number != 2 && !bytes.Contains(after, []byte(value)) {
			t.Errorf("the field %d is lost", number)
		}
	}
	if !bytes.Contains(after, []byte(issued.Bundle.Secret().Reveal())) {
		t.Error("another secret was set")
	}
	all, err := d.List(t.Context())
	must(t, err)
	if bytes.Contains(all, []byte("rotad-spare-of-"+id)) {
		t.Error("the copy is left behind")
	}
}

// comesBack: rotad died between the deletion and the new client.
func comesBack(t *testing.T, d *servers.Dex) {
	t.Helper()
	id := "client-" + rand.Text()[:8]
	must(t, d.Register(t.Context(), map[uint64]string{1: id, 2: dexFirst, 3: "https://example.com/callback"}))
	dying := roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/CreateClient") && !bodyHolds(r, "rotad-spare-of-") {
			return nil, io.ErrUnexpectedEOF
		}
		return dexLine().RoundTrip(r)
	})
	if _, err := openDex(t, d, dying).Create(t.Context(), targetOf(id, nil), providers.Request{}); err == nil {
		t.Fatal("the client was made")
	}
	if _, err := d.Client(t.Context(), id); err == nil {
		t.Fatal("the client is there: this shows nothing")
	}
	p := openDex(t, d, nil)
	if seen, err := p.Inspect(t.Context(), targetOf(id, nil)); err != nil || len(seen.Secrets) != 1 {
		t.Errorf("%+v, %v", seen, err)
	}
	issued, err := p.Create(t.Context(), targetOf(id, nil), providers.Request{})
	must(t, err)
	if ok, err := d.Accepts(t.Context(), id, issued.Bundle.Secret().Reveal()); !ok {
		t.Errorf("the client is not back: %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// bodyHolds says whether a request's body holds a text. The body is there again afterwards.
func bodyHolds(r *http.Request, text string) bool {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && bytes.Contains(body, []byte(text))
}

// dexLine carries gRPC over HTTP/2 without TLS, and everything else as usual.
func dexLine() http.RoundTripper {
	var only http.Protocols
	only.SetUnencryptedHTTP2(true)
	grpc := &http.Transport{Protocols: &only}
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.URL.Path, "/api.Dex/") {
			return grpc.RoundTrip(r)
		}
		return http.DefaultTransport.RoundTrip(r)
	})
}

// openDex opens the adapter; without a transport it brings its own.
func openDex(t *testing.T, d *servers.Dex, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := dex.Kind().Open(providers.Opening{
		Name: "door", Settings: &dex.Settings{URL: d.GRPC, TokenURL: d.URL + "/token"}, Transport: transport,
	})
	must(t, err)
	return p
}

// walksDex walks more than one page. The static client is met like any other.
func walksDex(t *testing.T, d *servers.Dex) {
	t.Helper()
	const n = 60
	for i := range n {
		must(t, d.Register(t.Context(), map[uint64]string{1: fmt.Sprintf("walk-%03d", i), 2: dexFirst, 6: "Walked"}))
	}
	lister, ok := providers.AsLister(openDex(t, d, nil))
	if !ok {
		t.Fatal("dex cannot be walked")
	}
	seen := map[string]providers.Listed{}
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		page, err := lister.List(t.Context(), cursor)
		must(t, err)
		for _, one := range page.Clients {
			seen[one.Ref["client_id"]] = one
		}
		if cursor = page.Next; pages > 10 {
			t.Fatal("the walk does not end")
		}
	}
	for i := range n {
		if one := seen[fmt.Sprintf("walk-%03d", i)]; !one.Whole || one.Name != "Walked" {
			t.Errorf("%d: %+v", i, one)
		}
	}
	if !seen[servers.DexStatic].Whole {
		t.Error("the static client was not met")
	}
}

func dexWorld(t *testing.T, d *servers.Dex) providertest.World {
	t.Helper()
	id := "client-" + rand.Text()[:8]
	must(t, d.Register(t.Context(), map[uint64]string{1: id, 2: dexFirst, 3: "https://example.com/callback"}))
	creates := func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/CreateClient") && !bodyHolds(r, dexFirst)
	}
	count := &counter{creates: creates, next: dexLine()}
	return providertest.World{
		Name: "door", Transport: count, Target: targetOf(id, nil), Unknown: targetOf("nobody", nil), Field: credential.FieldClientSecret,
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(dexFirst),
		},
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			t.Helper()
			return openDex(t, d, transport)
		},
		Creates: creates, Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
		Created: func() int { return int(count.made.Load()) },
		Accepts: func(b credential.Bundle) bool {
			ok, err := d.Accepts(t.Context(), id, b.Secret().Reveal())
			must(t, err)
			return ok
		},
		Canaries: []string{dexFirst},
	}
}
