package world

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/rotad/rotad/test/servers"
)

// What watches over the scenarios must itself be able to see.
func TestLeaksAreSeen(t *testing.T) {
	const secret = "a-clear-secret-value"
	tests := map[string]struct {
		text string
		want bool
	}{
		"nothing":          {"an innocent line", false},
		"plain":            {"x=" + secret + ";", true},
		"base64":           {base64.StdEncoding.EncodeToString([]byte(secret)), true},
		"half of it":       {secret[:8], false},
		"base64 of others": {base64.StdEncoding.EncodeToString([]byte("another-clear-value!")), false},
	}
	for name, test := range tests {
		if got := leaks([]byte(test.text), secret); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
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
