package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/config"
)

// People paste a secret where its file belongs: between the brackets it is not repeated either.
func TestWhatStandsInAPlaceholderOfAFileIsNotRepeated(t *testing.T) {
	credentials(t)
	const pasted = "the-secret-that-somebody-pasted"
	_, problems := loadText(t, strings.Replace(minimal, "address:", "ca_cert_file: \""+config.Placeholder(pasted)+"\", address:", 1))
	if len(problems.Errors()) != 1 || problems.Errors()[0].What != "is not filled in yet" || strings.Contains(problems.String(), pasted) {
		t.Errorf("got %s", problems)
	}
}

func TestRequiredSettingsOfAKind(t *testing.T) {
	type either struct {
		URL        string `yaml:"url" required:"true" doc:"Server."`
		TokenFile  string `yaml:"token_file" doc:"Token."`
		TokenEnv   string `yaml:"token_env" doc:"Token."`
		SecretFile string `yaml:"secret_file" doc:"Secret."`
		SecretEnv  string `yaml:"secret_env" doc:"Secret."`
		Scope      string `yaml:"scope" doc:"Scope."`
	}
	for _, c := range []struct {
		what     string
		settings func() any
		want     []config.Setting
	}{
		{"a kind without settings", nil, nil},
		{"a kind that demands its secret", func() any { return &keycloakSettings{} }, []config.Setting{
			{Name: "url", Doc: "Server"},
			{Name: "realm", Doc: "Realm"},
			{Name: "client_id", Doc: "Account"},
			{Name: "client_secret_file", Doc: "Its secret", File: true},
		}},
		{"a kind with two ways to log in has the first", func() any { return &either{} }, []config.Setting{
			{Name: "url", Doc: "Server"}, {Name: "token_file", Doc: "Token", File: true},
		}},
	} {
		if got := config.Required(config.Kind{Settings: c.settings}); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}
