package dcr

import (
	"net/http"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// answer knows what Keycloak says differently from RFC 6749 section 5.2: a wrong secret is 401 unauthorized_client there,
// and so is a grant that is not allowed; only the description tells the two apart. Elsewhere unauthorized_client comes
// with 400, and proves the secret.
func answer(r httpapi.VerifyReply) (providers.Answer, bool) {
	switch {
	case r.Status != http.StatusUnauthorized:
		return providers.Unknown, false
	case r.Method == credential.VerifyIntrospection && r.Code == "invalid_request":
		return providers.Refused, true
	case r.Code != "unauthorized_client":
		return providers.Unknown, false
	case strings.Contains(r.Description, "not enabled"), strings.Contains(r.Description, "not allowed"):
		return providers.Accepted, true
	}
	return providers.Refused, true
}
