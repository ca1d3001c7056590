package main

import "github.com/rotad/rotad/providers"

// evidence says what each adapter was proved against: kinds by their names, presets as "kind/preset". It is the one place that
// decides whether a person has to say allow_unproven, so a line is made stronger only together with a test that earns it.
// A preset has a line of its own: that the kind sends what a description says proves nothing about the description.
var evidence = map[string]providers.Evidence{
	"auth0-keys":          documented,
	"authentik":           documented,
	"aws-cognito":         documented,
	"aws-iam":             against("test/conformance/aws_test.go", "moto 5.2.5"),
	"casdoor":             against("test/conformance/casdoor_test.go", "Casdoor 1.1000.0"),
	"dcr":                 against("test/conformance/registration_test.go", "Keycloak 26.5.0, node-oidc-provider 9.13.3, django-oauth-toolkit 3.4.1"),
	"dex":                 against("test/conformance/dex_test.go", "Dex 2.45.1"),
	"entra":               documented,
	"entra-certificate":   documented,
	"exec":                {Level: providers.EvidenceOwn},
	"gcp-oauth-client":    documented,
	"gcp-service-account": documented,
	"generated":           {Level: providers.EvidenceOwn},
	"http":                {Level: providers.EvidenceOwn},
	"jwks":                against("test/conformance/keys_test.go", "Keycloak 26.5.0, node-oidc-provider 9.13.3"),
	"keycloak":            against("test/conformance/provider_test.go", "Keycloak 26.5.0"),
	"keycloak-keys":       against("test/conformance/uploaded_test.go", "Keycloak 26.5.0"),
	"lightapi":            documented,
	"manual":              against("test/scenarios/manual_test.go", "Keycloak 26.5.0"),
	"odc":                 documented,
	"snowflake":           documented,
	"telekom":             documented,
	"telicent":            documented,
	"vault-approle":       against("test/conformance/provider_test.go", "Vault 1.21.0"),

	"manual/github":       documented,
	"manual/google-oauth": documented,

	"http/auth0":             documented,
	"http/broadcom":          documented,
	"http/cloudflare-access": documented,
	"http/databricks":        documented,
	"http/fusionauth":        documented,
	"http/hydra":             against("test/conformance/presets_test.go", "Hydra 2.3.0"),
	"http/hydra-rotate":      documented,
	"http/logto":             documented,
	"http/okta":              documented,
	"http/pingone":           documented,
	"http/salesforce":        documented,
	"http/stytch":            documented,
	"http/telicent":          documented,
	"http/transmit":          documented,
	"http/workos":            documented,
	"http/zitadel":           documented,
}

var documented = providers.Evidence{Level: providers.EvidenceDocumentation}

func against(test, servers string) providers.Evidence {
	return providers.Evidence{Level: providers.EvidenceServer, Server: servers, Test: test}
}

// evidenceOf returns what an adapter was proved against; preset is empty where the kind has none. What stands nowhere is as
// good as documentation.
func evidenceOf(kind, preset string) providers.Evidence {
	e, known := evidence[lineOf(kind, preset)]
	if !known {
		return documented
	}
	return e
}

func lineOf(kind, preset string) string {
	if preset == "" {
		return kind
	}
	return kind + "/" + preset
}

// unproven names what stands behind a provider's block where that is nothing but documentation; empty = it was proved.
func unproven(kind string) func(settings any) string {
	return func(settings any) string {
		preset := ""
		if s, ok := settings.(interface{ Described() string }); ok {
			preset = s.Described()
		}
		switch {
		case evidenceOf(kind, preset).Proven():
			return ""
		case preset == "":
			return "the kind " + kind
		default:
			return "the preset " + preset
		}
	}
}
