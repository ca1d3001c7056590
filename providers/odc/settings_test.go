package odc_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/odc"
)

func TestSettings(t *testing.T) {
	for name, test := range map[string]struct {
		settings odc.Settings
		paths    []string
	}{
		"by hand needs no login":     {odc.Settings{}, nil},
		"off needs no login":         {odc.Settings{API: "off", OverlapHours: 24}, nil},
		"auto without a login":       {odc.Settings{API: "auto"}, []string{"api"}},
		"on without a login":         {odc.Settings{API: "on"}, []string{"api"}},
		"both logins":                {odc.Settings{API: "on", TokenEnv: "T", ClientID: "c", ClientSecretEnv: "S"}, []string{"client_id"}},
		"a client without a secret":  {odc.Settings{API: "auto", ClientID: "c"}, []string{"client_secret_file"}},
		"a token":                    {odc.Settings{API: "on", TokenFile: "/t"}, nil},
		"a client":                   {odc.Settings{API: "on", ClientID: "c", ClientSecretFile: "/s", OverlapHours: 72}, nil},
		"an overlap that is short":   {odc.Settings{OverlapHours: 23}, []string{"overlap_hours"}},
		"an overlap that is long":    {odc.Settings{OverlapHours: 73}, []string{"overlap_hours"}},
		"an overlap below nothing":   {odc.Settings{OverlapHours: -1}, []string{"overlap_hours"}},
		"an overlap and no login":    {odc.Settings{API: "on", OverlapHours: 1}, []string{"api", "overlap_hours"}},
		"what is not used is no bar": {odc.Settings{API: "off", TokenEnv: "T", ClientID: "c"}, nil},
	} {
		var paths []string
		test.settings.Validate(func(path, _, _ string) { paths = append(paths, path) })
		if !slices.Equal(paths, test.paths) {
			t.Errorf("%s: %v, want %v", name, paths, test.paths)
		}
	}
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	for name, settings := range map[string]any{
		"no settings": nil, "no address": &odc.Settings{}, "no scheme": &odc.Settings{URL: "example.outsystems.dev"},
	} {
		if _, err := odc.Kind().Open(providers.Opening{Name: "odc", Settings: settings}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	timed, ok := newWorld(t, sandbox.ODCSettings{}).open(t, odc.Settings{}, nil).(providers.Timed)
	if !ok || timed.Timing() != (providers.Timing{Deadline: 5 * time.Second, Propagation: 2 * time.Minute}) {
		t.Error("timing")
	}
}
