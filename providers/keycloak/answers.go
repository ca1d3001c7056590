package keycloak

import (
	"net/http"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// answer reads a reply of the token endpoint. For a wrong secret Keycloak says unauthorized_client, which everywhere
// else means that the secret was right and the grant is not allowed. Keycloak says that as well, with the same code;
// only the description tells the two apart. The introspection endpoint has a code of its own for a wrong secret.
func answer(r httpapi.VerifyReply) (providers.Answer, bool) {
	if r.Method == credential.VerifyIntrospection {
		return providers.Refused, r.Status == http.StatusUnauthorized && r.Code == "invalid_request"
	}
	if r.Code != "unauthorized_client" {
		return providers.Unknown, false
	}
	if strings.Contains(r.Description, "not enabled") || strings.Contains(r.Description, "not allowed") {
		return providers.Accepted, true
	}
	return providers.Refused, true
}
