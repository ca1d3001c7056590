package generated_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/generated"
	"github.com/rotad/rotad/providers/providertest"
)

func open(t *testing.T, s generated.Settings) providers.Provider {
	t.Helper()
	p, err := generated.Kind().Open(providers.Opening{Name: "salts", Settings: &s})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(held func(context.Context) (credential.Bundle, error)) providers.Target {
	return providers.Target{Client: "salt", Ref: credential.Ref{"name": "TOKEN_HASH_SALT"}, Held: held}
}

func value(text string) credential.Bundle {
	return credential.Bundle{credential.FieldValue: credential.NewSensitive(text)}
}

// counting counts the values that were made.
type counting struct {
	providers.Provider

	made *atomic.Int64
}

func (c counting) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	issued, err := c.Provider.Create(ctx, t, r)
	if err == nil {
		c.made.Add(1)
	}
	return issued, err
}

func (c counting) Timing() providers.Timing {
	inner, _ := providers.AsTimed(c.Provider)
	return inner.Timing()
}

func TestConformance(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		t.Helper()
		var made atomic.Int64
		return providertest.World{
			Name: "salts", Target: target(nil), Unknown: providers.Target{Client: "nobody"}, Bundle: value("the-first-salt"), Field: credential.FieldValue,
			Open: func(t *testing.T, _ http.RoundTripper) providers.Provider {
				t.Helper()
				return counting{open(t, generated.Settings{Length: 43}), &made}
			},
			NoLook: true, Created: func() int { return int(made.Load()) },
		}
	})
}

func TestValuesAreOfTheirAlphabetAndNeverTheSame(t *testing.T) {
	for alphabet, characters := range map[string]string{"base64url": "-_", "hex": "0123456789abcdef", "alphanumeric": "azAZ09", "ascii": "!~", "01": "01"} {
		p := open(t, generated.Settings{Length: 200, Alphabet: alphabet})
		seen, used := map[string]bool{}, ""
		for range 20 {
			issued, err := p.Create(t.Context(), target(nil), providers.Request{})
			if err != nil {
				t.Fatal(err)
			}
			text := issued.Bundle[credential.FieldValue].Reveal()
			if len(text) != 200 || seen[text] || issued.Secret.Start.IsZero() {
				t.Fatalf("%s: a value of %d characters, again: %t", alphabet, len(text), seen[text])
			}
			seen[text], used = true, used+text
		}
		for _, c := range characters {
			if !strings.ContainsRune(used, c) {
				t.Errorf("%s: %q is never drawn", alphabet, c)
			}
		}
		if alphabet == "01" && strings.Trim(used, "01") != "" {
			t.Errorf("%s: other characters are drawn", alphabet)
		}
	}
}

func TestWhatVaultHoldsCounts(t *testing.T) {
	p := open(t, generated.Settings{Length: 43})
	held := target(func(context.Context) (credential.Bundle, error) { return value("now"), nil })
	for text, want := range map[string]providers.Answer{"now": providers.Accepted, "before": providers.Refused, "": providers.Refused} {
		if got, err := p.Verify(t.Context(), held, value(text)); got != want || err != nil {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	empty := target(func(context.Context) (credential.Bundle, error) { return nil, nil })
	if got, _ := p.Verify(t.Context(), empty, value("")); got != providers.Refused {
		t.Errorf("nothing against nothing: %s", got)
	}
	for name, away := range map[string]providers.Target{
		"nobody reads": target(nil), "sealed": target(func(context.Context) (credential.Bundle, error) { return nil, errors.New("vault is sealed") }),
	} {
		if got, err := p.Verify(t.Context(), away, value("now")); got != providers.Unknown || providers.ClassOf(err) != providers.ClassUnavailable {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestWeakValuesAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		settings generated.Settings
		want     string
	}{
		"too short":            {generated.Settings{Length: 21}, "length: 21 characters of 64 have 126 bits; at least 128 bits: write 22"},
		"enough":               {generated.Settings{Length: 22}, ""},
		"hex, too short":       {generated.Settings{Length: 31, Alphabet: "hex"}, "length: 31 characters of 16 have 124 bits; at least 128 bits: write 32"},
		"hex":                  {generated.Settings{Length: 32, Alphabet: "hex"}, ""},
		"nothing":              {generated.Settings{}, "length: 0 characters of 64 have 0 bits"},
		"less than nothing":    {generated.Settings{Length: -5}, "have 0 bits"},
		"one character":        {generated.Settings{Length: 1000, Alphabet: "a"}, "alphabet: "},
		"a character twice":    {generated.Settings{Length: 1000, Alphabet: "aab"}, "alphabet: "},
		"a blank":              {generated.Settings{Length: 1000, Alphabet: "a b"}, "alphabet: "},
		"beyond ASCII":         {generated.Settings{Length: 1000, Alphabet: "aä"}, "alphabet: "},
		"longer than anything": {generated.Settings{Length: 5000}, "length: is more than 4096"},
	} {
		var all []string
		tt.settings.Validate(func(path, what, hint string) { all = append(all, path+": "+what+"; "+hint) })
		if got := strings.Join(all, "\n"); !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestWhatARotationInvalidatesIsSaid(t *testing.T) {
	for _, tt := range []struct {
		settings generated.Settings
		want     string
	}{
		{generated.Settings{Use: "csrf", Restart: "none"}, "Forms that are open in a browser are refused once, and have to be loaded again."},
		{generated.Settings{Use: "salt"}, "has to be restarted to read the new one."},
		{generated.Settings{Use: "state"}, "Logins that are under way fail once"},
		{generated.Settings{}, "is no longer recognised. Who uses"},
		{generated.Settings{Use: "salt", Invalidates: "All search indexes.", Restart: "none"}, "All search indexes."},
	} {
		tt.settings.Length = 43
		snap, err := open(t, tt.settings).Inspect(t.Context(), target(nil))
		if err != nil || !strings.Contains(snap.Caps.Effects, tt.want) || snap.Caps.Mode != credential.ModeHardCutover {
			t.Errorf("%+v: %q, %v", tt.settings, snap.Caps.Effects, err)
		}
		if tt.settings.Restart == "none" && strings.Contains(snap.Caps.Effects, "restarted") {
			t.Errorf("%+v: %q", tt.settings, snap.Caps.Effects)
		}
	}
}
