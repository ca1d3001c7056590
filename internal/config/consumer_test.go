package config_test

import (
	"strings"
	"testing"
)

func TestHowLongAnOldSecretMayBeKept(t *testing.T) {
	for name, tt := range map[string]struct{ policy, want string }{
		"by time, with a longest overlap":   {"overlap_max: 5d", "overlap_max: warning: says nothing while overlap_ends is time"},
		"by time, revoked at its end":       {"at_overlap_max: revoke", "overlap_max: warning: says nothing while overlap_ends is time"},
		"a longest overlap that is short":   {"overlap_ends: moved, overlap_max: 1d", "overlap_max: is less than overlap (3d)"},
		"one as long as a secret lives":     {"overlap_ends: moved, overlap_max: 90d", "overlap_max: the longest overlap (90d) is not less than lifetime (90d)"},
		"one beyond the next rotation":      {"overlap_ends: unused, overlap_max: 80d", "overlap_max: warning: the longest overlap (80d) may last beyond"},
		"four overlaps beyond it":           {"overlap_ends: moved, overlap: 20d", "overlap_max: warning: the longest overlap (80d) may last beyond"},
		"quiet for no time":                 {"overlap_ends: unused, quiet: 0s", "quiet: must be more than 0"},
		"a word that is none":               {"overlap_ends: never", "overlap_ends: "},
		"moved":                             {"overlap_ends: moved, overlap_max: 14d, at_overlap_max: revoke", ""},
		"unused":                            {"overlap_ends: unused, quiet: 2h", ""},
		"a short one where nothing expires": {"overlap_ends: moved, lifetime: 0s, rotate_before: 14d, overlap_max: 400d", ""},
	} {
		t.Run(name, func(t *testing.T) {
			credentials(t)
			_, problems := loadText(t, small+"policies: {default: {"+tt.policy+"}}\n")
			var about []string
			for _, p := range problems {
				if strings.Contains(p.Path, "overlap") || strings.Contains(p.Path, "quiet") {
					about = append(about, p.String())
				}
			}
			if all := strings.Join(about, "\n"); !strings.Contains(all, tt.want) || (tt.want == "") != (all == "") {
				t.Errorf("got %q", all)
			}
		})
	}
}

func TestConsumersAreNamedWhereTheyAreWaitedFor(t *testing.T) {
	const client = "clients: [{id: a, provider: portal, ref: {client_id: a}, owner: team, policy: waits, vault: {path: a}%s}]\n"
	for consumers, warned := range map[string]bool{"": true, ", consumers: [{name: web, optional: true}]": true, ", consumers: [{name: web}]": false} {
		credentials(t)
		_, problems := loadText(t, small+"policies: {waits: {overlap_ends: moved}}\n"+strings.Replace(client, "%s", consumers, 1))
		var said bool
		for _, p := range problems {
			said = said || strings.Contains(p.String(), `the policy "waits" waits until they have moved`)
		}
		if said != warned {
			t.Errorf("%q: %v", consumers, problems)
		}
	}
}

func TestTheHandshakeNeedsAKey(t *testing.T) {
	for name, tt := range map[string]struct{ handshake, want string }{
		"no address":          {"address: somewhere", "handshake.address: "},
		"no key":              {`address: "127.0.0.1:9849"`, "handshake.token_key_file: is required where the handshake listens"},
		"half a certificate":  {`address: "127.0.0.1:9849", token_key_file: "${CREDENTIALS_DIRECTORY}/secret", tls_cert_file: "${CREDENTIALS_DIRECTORY}/secret"`, "handshake.tls_cert_file: needs tls_key_file"},
		"in clear, from afar": {`address: "0.0.0.0:9849", token_key_file: "${CREDENTIALS_DIRECTORY}/secret"`, "handshake.address: warning: consumers' tokens travel in clear"},
		"on this machine":     {`address: "127.0.0.1:9849", token_key_file: "${CREDENTIALS_DIRECTORY}/secret"`, ""},
		"off":                 {"address: off", ""},
	} {
		t.Run(name, func(t *testing.T) {
			credentials(t)
			_, problems := loadText(t, small+"handshake: {"+tt.handshake+"}\n")
			var all string
			for _, p := range problems {
				if strings.HasPrefix(p.Path, "handshake") {
					all += p.String() + "\n"
				}
			}
			if !strings.Contains(all, tt.want) || (tt.want == "") != (all == "") {
				t.Errorf("got %q", all)
			}
		})
	}
}

func TestTheListenerForPeopleIsChecked(t *testing.T) {
	const key, url = `key_env: ROTAD_TEST_PUBLIC_KEY`, "public_url: https://rotad.example.com\n"
	for name, tt := range map[string]struct{ public, url, want string }{
		"no address":           {"address: somewhere", url, "listen.public.address: "},
		"no key":               {`address: "127.0.0.1:9850"`, url, "listen.public.key_file: is required where people are listened to"},
		"a key to guess":       {`address: "127.0.0.1:9850", key_file: "${CREDENTIALS_DIRECTORY}/secret"`, url, "listen.public.key_file: the key has 8 characters; it needs 32 random ones"},
		"no place in mails":    {`address: "127.0.0.1:9850", ` + key, "", "listen.public.address: needs public_url"},
		"half a certificate":   {`address: "127.0.0.1:9850", tls_cert_file: "${CREDENTIALS_DIRECTORY}/secret", ` + key, url, "listen.public.tls_cert_file: needs tls_key_file"},
		"in clear, from afar":  {`address: "0.0.0.0:9850", ` + key, url, "listen.public.address: warning: whoever is on the way can read links"},
		"links in clear":       {`address: "127.0.0.1:9850", ` + key, "public_url: http://rotad.example.com\n", "public_url: warning: the connection is not encrypted"},
		"a proxy without form": {`address: "127.0.0.1:9850", trusted_proxies: [proxy], ` + key, url, `listen.public.trusted_proxies[0]: "proxy" is not a network`},
		"anybody is a proxy":   {`address: "127.0.0.1:9850", trusted_proxies: [0.0.0.0/0], ` + key, url, `listen.public.trusted_proxies[0]: "0.0.0.0/0" is every address there is`},
		"behind a proxy":       {`address: "0.0.0.0:9850", trusted_proxies: [10.0.0.0/8, "fd00::/8"], ` + key, url, ""},
		"on this machine":      {`address: "127.0.0.1:9850", ` + key, url, ""},
		"off":                  {"address: off", "", ""},
		"off, with a place":    {"address: off", url, ""},
	} {
		t.Run(name, func(t *testing.T) {
			credentials(t)
			t.Setenv("ROTAD_TEST_PUBLIC_KEY", "a-key-of-more-than-thirty-two-characters")
			_, problems := loadText(t, small+"listen: {public: {"+tt.public+"}}\n"+tt.url)
			var all string
			for _, p := range problems {
				if strings.HasPrefix(p.Path, "listen") || p.Path == "public_url" {
					all += p.String() + "\n"
				}
			}
			if !strings.Contains(all, tt.want) || (tt.want == "") != (all == "") {
				t.Errorf("got %q", all)
			}
		})
	}
}
