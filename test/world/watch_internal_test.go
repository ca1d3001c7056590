package world

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/canary"
	"github.com/rotad/rotad/test/servers"
)

// scenario is a test that may fail without failing this one.
type scenario struct {
	testing.TB
	errors []string
}

func (s *scenario) Errorf(format string, args ...any) {
	s.errors = append(s.errors, fmt.Sprintf(format, args...))
}

// What watches over the scenarios must itself be able to see.
func TestLeaksAreSeen(t *testing.T) {
	const secret = "a-clear-secret-value"
	tests := map[string]struct {
		text string
		want string // of the complaint; empty = there is none
	}{
		"nothing":          {"an innocent line", ""},
		"plain":            {"x=" + secret + ";", "rotad.log: offset 2: secret #1 of the ledger (a value that the harness knows), raw"},
		"base64":           {base64.StdEncoding.EncodeToString([]byte(secret)), "base64"},
		"half of it":       {secret[:8], ""},
		"base64 of others": {base64.StdEncoding.EncodeToString([]byte("another-clear-value!")), ""},
		"Vault's token":    {"hvs.CAESIJ0123456789abcdefghij", "a token of 30 bytes"},
		"a signed token":   {"Bearer eyJhbGciOiJSUzI1NiIsIn.eyJleHAiOjE3NDAwMDAwMDB9.c2ln", "a token of 47 bytes"},
		"an empty log":     {"", "there was nothing to look at"},
	}
	for name, test := range tests {
		left, s := t.TempDir(), &scenario{TB: t}
		w := &World{T: s}
		w.Known(secret)
		w.Must(os.WriteFile(filepath.Join(left, "rotad.log"), []byte(test.text), 0o600))
		w.judge(left)
		if got := strings.Join(s.errors, "\n"); (got == "") != (test.want == "") || !strings.Contains(got, test.want) || strings.Contains(got, secret) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// A scenario that knew no secret, or one that cannot be looked for, has proved nothing.
func TestNothingToLookForIsNoComfort(t *testing.T) {
	for _, value := range []string{"", "short"} {
		s := &scenario{TB: t}
		w := &World{T: s}
		w.Known(value)
		if w.judge(t.TempDir()); len(s.errors) == 0 {
			t.Errorf("knowing %q is enough", value)
		}
	}
}

// What a scenario knew outlives it in the ledger of the whole run.
func TestTheRunKeepsWhatAScenarioKnew(t *testing.T) {
	dir, w := t.TempDir(), &World{T: t}
	for range 2 {
		w.Known("a-clear-secret-value")
		w.Known("another-clear-value")
		w.Must(w.values.keep(dir, "restart"))
	}
	if all, err := canary.ReadLedger(filepath.Join(dir, canary.LedgerFile)); err != nil || all.Len() != 2 {
		t.Errorf("%v", err)
	}
}

func TestConsumerCountsOnlyWhatIsRefusedTwice(t *testing.T) {
	yes, no, down := func() (bool, error) { return true, nil }, func() (bool, error) { return false, nil },
		func() (bool, error) { return false, errors.New("the server is down") }
	tests := map[string]struct {
		answers    []func() (bool, error)
		logins     int
		violations int
	}{
		"accepted":                      {[]func() (bool, error){yes}, 1, 0},
		"refused, then accepted":        {[]func() (bool, error){no, yes}, 1, 0},
		"refused twice":                 {[]func() (bool, error){no, no}, 0, 1},
		"refused, then the server died": {[]func() (bool, error){no, down}, 0, 0},
		"the server is down":            {[]func() (bool, error){down}, 0, 0},
	}
	for name, test := range tests {
		asked := 0
		c := &Consumer{
			name: name,
			read: func(context.Context) (servers.Stored, error) { return servers.Stored{Version: 1}, nil },
			accept: func(context.Context, servers.Stored) (bool, error) {
				asked++
				return test.answers[asked-1]()
			},
		}
		c.login(t.Context())
		if c.Logins() != test.logins || len(c.Violations()) != test.violations {
			t.Errorf("%s: %d logins and the violations %v", name, c.Logins(), c.Violations())
		}
	}
}

func TestLabelsSelectSeries(t *testing.T) {
	const labels = `client="a \"b\"",slot="current"`
	for name, test := range map[string]struct {
		wanted Block
		want   bool
	}{
		"none":    {nil, true},
		"one":     {Block{"slot": "current"}, true},
		"other":   {Block{"slot": "retiring"}, false},
		"missing": {Block{"owner": "x"}, false},
	} {
		if got := hasLabels(labels, test.wanted); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
	if m := sampleLine.FindStringSubmatch(`rotad_x{a="b"} 1.5e+09`); len(m) != 4 || m[3] != "1.5e+09" {
		t.Errorf("a sample is read as %q", m)
	}
	if s := (servers.Stored{Values: map[string]json.RawMessage{"n": []byte(`"text"`), "m": []byte(`1`)}}); s.Text("n") != "text" || s.Text("m") != "" {
		t.Error("values of a stored version are misread")
	}
}
