package main

import (
	"slices"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/auth0keys"
	"github.com/rotad/rotad/providers/authentik"
	"github.com/rotad/rotad/providers/awscognito"
	"github.com/rotad/rotad/providers/awsiam"
	"github.com/rotad/rotad/providers/casdoor"
	"github.com/rotad/rotad/providers/dcr"
	"github.com/rotad/rotad/providers/dex"
	"github.com/rotad/rotad/providers/entra"
	"github.com/rotad/rotad/providers/entracertificate"
	"github.com/rotad/rotad/providers/exec"
	"github.com/rotad/rotad/providers/gcpoauthclient"
	"github.com/rotad/rotad/providers/gcpserviceaccount"
	"github.com/rotad/rotad/providers/generated"
	"github.com/rotad/rotad/providers/http"
	"github.com/rotad/rotad/providers/jwks"
	"github.com/rotad/rotad/providers/keycloak"
	"github.com/rotad/rotad/providers/keycloakkeys"
	"github.com/rotad/rotad/providers/lightapi"
	"github.com/rotad/rotad/providers/manual"
	"github.com/rotad/rotad/providers/odc"
	"github.com/rotad/rotad/providers/snowflake"
	"github.com/rotad/rotad/providers/telekom"
	"github.com/rotad/rotad/providers/telicent"
	"github.com/rotad/rotad/providers/vaultapprole"
)

// kinds is the visible list of provider kinds: adding one is one line here.
func kinds() []providers.Kind {
	return []providers.Kind{
		auth0keys.Kind(),
		authentik.Kind(),
		awscognito.Kind(),
		awsiam.Kind(),
		casdoor.Kind(),
		dcr.Kind(),
		dex.Kind(),
		entra.Kind(),
		entracertificate.Kind(),
		exec.Kind(),
		gcpoauthclient.Kind(),
		gcpserviceaccount.Kind(),
		generated.Kind(),
		http.Kind(),
		jwks.Kind(),
		keycloak.Kind(),
		keycloakkeys.Kind(),
		lightapi.Kind(),
		manual.Kind(),
		odc.Kind(),
		snowflake.Kind(),
		telekom.Kind(),
		telicent.Kind(),
		vaultapprole.Kind(),
	}
}

// kindNamed returns the kind of this name.
func kindNamed(name string) (providers.Kind, bool) {
	all := kinds()
	i := slices.IndexFunc(all, func(k providers.Kind) bool { return k.Name == name })
	if i < 0 {
		return providers.Kind{}, false
	}
	return all[i], true
}

// configKinds tells the configuration what it has to know about the kinds.
func configKinds() []config.Kind {
	all := kinds()
	list := make([]config.Kind, len(all))
	for i, k := range all {
		list[i] = config.Kind{Name: k.Name, Settings: k.Settings, Ref: k.Ref, Fields: k.Fields, Validate: validate, Unproven: unproven(k.Name)}
	}
	return list
}

// validate reports what a kind's settings find wrong with themselves.
func validate(settings any, report func(path, what, hint string)) {
	if v, ok := settings.(interface {
		Validate(report func(path, what, hint string))
	}); ok {
		v.Validate(report)
	}
}

// refFields are the fields of a client's ref to ask people for: those of its kind, or where a kind takes any, the one that
// nearly every provider has.
func refFields(ref []string) []string {
	if len(ref) == 0 {
		return []string{"client_id"}
	}
	return ref
}
