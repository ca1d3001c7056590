package lightapi_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/lightapi"
)

// The roles stand in the token, as one text. Who owns a client is shown by nothing, so that is not guessed.
func TestRights(t *testing.T) {
	w := newPortal(t, sandbox.LightAPISettings{}, lightapi.Settings{})
	for claims, test := range map[string]struct {
		held  string // rights that are needed
		wide  string
		class providers.Class
		why   string
	}{
		`{"role":"user oauth-client-admin","scp":["portal.w"]}`: {held: "role oauth-client-admin"},
		`{"role":"oauth-client-admin admin"}`:                   {held: "role oauth-client-admin", wide: "role admin"},
		`{"roles":["host-admin"]}`:                              {held: "role oauth-client-admin", wide: "role host-admin"},
		`{"role":"user"}`:                                       {class: providers.ClassUnsupported, why: "owns"},
		`{"scp":["portal.w"]}`:                                  {class: providers.ClassUnsupported, why: "names no roles"},
		`opaque`:                                                {class: providers.ClassUnsupported, why: "names no roles"},
	} {
		token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
		p, err := lightapi.Kind().Open(providers.Opening{
			Name: "portal", Settings: &lightapi.Settings{URL: w.server.URL, HostID: "host", TokenURL: w.server.URL + sandbox.PathLightOAuth, TokenEnv: "TOKEN"},
			Secret: func(string) (string, error) { return token, nil }, Elapsed: func() time.Duration { return 0 },
		})
		if err != nil {
			t.Fatal(err)
		}
		reader, ok := providers.AsRightsReader(p)
		if !ok {
			t.Fatal("lightapi cannot read rights")
		}
		rights, err := reader.Rights(t.Context(), nil)
		var held, wide []string
		for _, r := range rights {
			if r.TooWide() {
				wide = append(wide, r.Name)
			} else if r.Held {
				held = append(held, r.Name)
			}
		}
		slices.Sort(wide)
		if strings.Join(held, ", ") != test.held || strings.Join(wide, ", ") != test.wide || providers.ClassOf(err) != test.class {
			t.Errorf("%s: held %v, too wide %v, %v", claims, held, wide, err)
		}
		if err != nil && (!strings.Contains(err.Error(), test.why) || strings.Contains(err.Error(), token)) {
			t.Errorf("%s: %v", claims, err)
		}
	}
}
