package manual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// known is what is known of a portal.
type known struct {
	name, summary string
	sources       []string // pages that the makers publish
	settings      Settings
}

// portals are those that rotad knows the way through. None has an API for secrets.
func portals() []known {
	return []known{
		{
			name: "github", summary: "GitHub: client secrets of a GitHub App or OAuth app, which a person makes; several live side by side",
			sources: []string{
				"https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors",
				"https://docs.github.com/en/apps/creating-github-apps/about-creating-github-apps/best-practices-for-creating-a-github-app",
			},
			settings: Settings{ //nolint:gosec // the address of a token endpoint is no secret
				TokenURL: "https://github.com/login/oauth/access_token",
				Instructions: "On GitHub open the settings of the account or organization that owns the app, Developer settings, then GitHub Apps or OAuth Apps, " +
					"and the app. Generate a new client secret, which is shown once, leave the old one in place, and bring the new one with: rotad submit. " +
					"Delete the old one there when rotad asks for it.",
				Accepted: []string{"bad_verification_code", "redirect_uri_mismatch"},
				Refused:  []string{"incorrect_client_credentials"},
			},
		},
		{
			name: "google-oauth", summary: "Google: client secrets of an OAuth client, which a person makes in the console; two live side by side",
			sources: []string{
				"https://support.google.com/cloud/answer/6158849",
				"https://developers.google.com/identity/protocols/oauth2/web-server",
			},
			settings: Settings{ //nolint:gosec // the address of a token endpoint is no secret
				TokenURL: "https://oauth2.googleapis.com/token",
				Instructions: "In the Google Cloud console open Google Auth Platform, Clients, and the client. Add a secret, leave the old one enabled, and bring the new " +
					"one with: rotad submit. When rotad asks for it, disable the old one there, and delete it after a day without complaints.",
			},
		},
	}
}

// presets describes the portals to the composition root.
func presets() []providers.Preset {
	var all []providers.Preset
	for _, k := range portals() {
		all = append(all, providers.Preset{
			Name: k.name, Summary: k.summary, Text: k.text(), Modes: []string{string(credential.ModeManual)},
			Rights: "none: rotad has no account at the provider",
			Traits: providers.Traits{Value: providers.ChosenByPerson, Live: "2"},
		})
	}
	return all
}

// text writes a portal as a part of a provider's block.
func (k known) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n#\n", k.summary)
	for _, source := range k.sources {
		fmt.Fprintf(&b, "# %s\n", source)
	}
	fmt.Fprintf(&b, "token_url: %s\ninstructions: %q\n", k.settings.TokenURL, k.settings.Instructions)
	if len(k.settings.Accepted) > 0 {
		fmt.Fprintf(&b, "accepted: [%s]\n", strings.Join(k.settings.Accepted, ", "))
	}
	if len(k.settings.Refused) > 0 {
		fmt.Fprintf(&b, "refused: [%s]\n", strings.Join(k.settings.Refused, ", "))
	}
	return b.String()
}

// none is the name that stands for no preset.
const none = "none"

// merged is a block with what its preset says where the block says nothing; ok = false: there is no such preset.
func (s *Settings) merged() (out Settings, ok bool) {
	out = *s
	if s.Preset == "" || s.Preset == none {
		return out, true
	}
	all := portals()
	i := slices.IndexFunc(all, func(k known) bool { return k.name == s.Preset })
	if i < 0 {
		return out, false
	}
	said := all[i].settings
	if out.TokenURL == "" {
		out.TokenURL = said.TokenURL
	}
	if out.Instructions == "" {
		out.Instructions = said.Instructions
	}
	out.Accepted, out.Refused = append(out.Accepted, said.Accepted...), append(out.Refused, said.Refused...)
	return out, true
}

// Described names the preset that a block stands on; empty = the block says all itself.
func (s *Settings) Described() string {
	if _, ok := s.merged(); !ok || s.Preset == none {
		return ""
	}
	return s.Preset
}
