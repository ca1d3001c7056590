package telekom_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telekom"
)

func TestSettingsNeedExactlyOneLogin(t *testing.T) {
	for name, test := range map[string]struct {
		settings telekom.Settings
		paths    []string
	}{
		"nothing":                 {telekom.Settings{}, []string{"group", "rover_token_file", "team", "token_url", "url"}},
		"a blob":                  {telekom.Settings{RoverTokenFile: "/t"}, nil},
		"a blob and a client":     {telekom.Settings{RoverTokenEnv: "T", ClientID: "c"}, []string{"client_id"}},
		"a blob and a secret":     {telekom.Settings{RoverTokenEnv: "T", ClientSecretEnv: "S"}, []string{"client_id"}},
		"a client without secret": {telekom.Settings{ClientID: "c", URL: "u", Group: "g", Team: "t", TokenURL: "t"}, []string{"client_secret_file"}},
		"a secret without client": {telekom.Settings{ClientSecretEnv: "S", URL: "u", Group: "g", Team: "t", TokenURL: "t"}, []string{"client_id"}},
		"a client without a team": {telekom.Settings{ClientID: "c", ClientSecretFile: "/s", URL: "u", TokenURL: "t"}, []string{"group", "team"}},
		"a client":                {telekom.Settings{ClientID: "c", ClientSecretFile: "/s", URL: "u", Group: "g", Team: "t", TokenURL: "t"}, nil},
		"a grace below zero":      {telekom.Settings{RoverTokenFile: "/t", GracePeriod: -time.Hour}, []string{"grace_period"}},
	} {
		var paths []string
		test.settings.Validate(func(path, _, _ string) { paths = append(paths, path) })
		slices.Sort(paths)
		if !slices.Equal(paths, test.paths) {
			t.Errorf("%s: %v, want %v", name, paths, test.paths)
		}
	}
}

func TestRotadLogsInWithABlobOrAsAClient(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	for name, s := range map[string]telekom.Settings{
		"blob": {RoverTokenEnv: "T"},
		"blob, and everything but the login written": {
			RoverTokenEnv: "T", URL: w.server.URL + "/rover/api/", Group: "eni", Team: "hyperion", TokenURL: w.server.URL + sandbox.PathRoverToken,
		},
		"client": {
			URL: w.server.URL + "/", Group: "eni", Team: "hyperion", TokenURL: w.server.URL + sandbox.PathRoverToken,
			ClientID: "eni--hyperion", ClientSecretFile: "/s", Scope: "tardis:team:all",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.SecretRotation = "auto"
			inspect(t, w.open(t, &s, nil), target(day))
		})
	}
	other := w.open(t, &telekom.Settings{RoverTokenEnv: "T", Team: "others", SecretRotation: "auto"}, nil)
	_, err := other.Inspect(t.Context(), target(day))
	expectClass(t, err, providers.ClassNotFound)
}

// TestTheTeamsSecretIsReadAfresh: somebody replaces ROVER_TOKEN while rotad runs.
func TestTheTeamsSecretIsReadAfresh(t *testing.T) {
	w := newWorld(t, sandbox.RoverSettings{TokenLife: time.Hour}, sandbox.RoverApp{})
	p := w.provider(t)
	w.team = "stale"
	_, err := p.Inspect(t.Context(), target(day))
	expectClass(t, err, providers.ClassAuth)
	w.team = teamSecret
	inspect(t, p, target(day))
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	encode := func(object string) string { return base64.StdEncoding.EncodeToString([]byte(object)) }
	const login = `"client_id":"c","client_secret":"CANARY-s3cret"`
	for name, test := range map[string]struct {
		settings any
		blob     string
		says     string
	}{
		"other settings":      {nil, "", "settings"},
		"no blob":             {&telekom.Settings{RoverTokenEnv: "T"}, "", "not set"},
		"a blob of nothing":   {&telekom.Settings{RoverTokenEnv: "T"}, "CANARY!!", "ROVER_TOKEN"},
		"a blob of no JSON":   {&telekom.Settings{RoverTokenEnv: "T"}, encode("CANARY"), "ROVER_TOKEN"},
		"a blob of no login":  {&telekom.Settings{RoverTokenEnv: "T"}, encode(`{"group":"g","team":"t"}`), "client_id"},
		"a blob of no server": {&telekom.Settings{RoverTokenEnv: "T"}, encode(`{"group":"g","team":"t","token_url":"https://i/t",` + login + `}`), "url is neither"},
		"a blob of no team":   {&telekom.Settings{RoverTokenEnv: "T"}, encode(`{"group":"g","server_url":"https://p","token_url":"https://i/t",` + login + `}`), "team is neither"},
		"a blob with a broken address": {
			&telekom.Settings{RoverTokenEnv: "T"}, encode(`{"group":"g","team":"t","server_url":"https://CANARY\u007f","token_url":"https://i/t",` + login + `}`), "cannot be parsed",
		},
		"a blob with a broken token address": {
			&telekom.Settings{RoverTokenEnv: "T"}, encode(`{"group":"g","team":"t","server_url":"https://p","token_url":"CANARY",` + login + `}`), "token_url",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := telekom.Kind().Open(providers.Opening{Name: "plane", Settings: test.settings, Secret: func(string) (string, error) {
				if test.blob == "" {
					return "", errors.New("reading a secret: its environment variable is not set")
				}
				return test.blob, nil
			}})
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%v, want something about %q", err, test.says)
			}
		})
	}
}

func TestHowARoverTokenMayBeWritten(t *testing.T) {
	object := []byte(`{"environment":"e","group":"g","team":"t","client_id":"c??>>","client_secret":"s","token_url":"https://i/t","server_url":"https://p"}`)
	for name, test := range map[string]struct{ text, group, team string }{
		"bare":                        {base64.StdEncoding.EncodeToString(object), "g", "t"},
		"without padding":             {base64.RawStdEncoding.EncodeToString(object), "g", "t"},
		"in the other alphabet":       {base64.URLEncoding.EncodeToString(object), "g", "t"},
		"with space around":           {" \n" + base64.StdEncoding.EncodeToString(object) + "\n", "g", "t"},
		"with a prefix":               {"prod--eni--hyperion." + base64.StdEncoding.EncodeToString(object), "eni", "hyperion"},
		"with a prefix of two parts":  {"prod--eni." + base64.StdEncoding.EncodeToString(object), "g", "t"},
		"with a dot in the prefix":    {"v1.2--eni--hyperion." + base64.StdEncoding.EncodeToString(object), "eni", "hyperion"},
		"with an empty prefix":        {"." + base64.StdEncoding.EncodeToString(object), "g", "t"},
		"with more parts than needed": {"prod--eni--hyperion--x." + base64.StdEncoding.EncodeToString(object), "eni", "hyperion"},
	} {
		group, team, clientID, tokenURL, server, err := telekom.Blob(test.text)
		if err != nil || group != test.group || team != test.team || clientID != "c??>>" || tokenURL != "https://i/t" || server != "https://p" {
			t.Errorf("%s: %q %q %q %q %q %v", name, group, team, clientID, tokenURL, server, err)
		}
	}
}

func FuzzRoverToken(f *testing.F) {
	for _, seed := range []string{
		"", ".", "a--b--c.", "canary!", base64.StdEncoding.EncodeToString([]byte(`{"client_id":"c","client_secret":"canary"}`)),
		"a--b--c." + base64.RawURLEncoding.EncodeToString([]byte(`{"client_id":"c","client_secret":"canary","group":1}`)),
		base64.StdEncoding.EncodeToString([]byte(`{"client_id":"c","client_secret":"canary"}{}`)),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _, clientID, _, _, err := telekom.Blob(text)
		switch {
		case err == nil && clientID == "":
			t.Error("a login without a client")
		case err != nil && len(text) > 8 && strings.Contains(err.Error(), text):
			t.Errorf("the error repeats the blob: %v", err)
		}
	})
}
