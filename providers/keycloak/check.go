package keycloak

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Hints of the online check.
const (
	hintManage   = "Grant its service account the role manage-clients of the client realm-management."
	hintPolicies = "Grant its service account the role view-realm of the client realm-management, so that rotad sees " +
		"which policy covers a client."
)

// Check implements providers.Checker. It asks for what Inspect and Create need, and changes nothing: whether the
// account may replace secrets is read from what Keycloak says about a client that it shows.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	var list []representation
	_, err := p.api.http.Into(ctx, httpapi.Request{
		Operation: "check", Method: http.MethodGet, Path: p.api.path("clients"), Query: url.Values{"first": {"0"}, "max": {"1"}},
	}, &list)
	if err != nil {
		refused := providers.ClassOf(err) == providers.ClassAuth
		return []providers.Finding{{Problem: true, Refused: refused, What: "listing clients: " + err.Error(), Hint: hintFor(err)}}
	}
	findings := clientFindings(list)
	var rules policies
	switch err := p.api.policies(ctx, "policies", &rules); {
	case err == nil:
	case providers.ClassOf(err) == providers.ClassAuth:
		findings = append(findings, providers.Finding{
			What: "The account may not read client policies: whether an old secret lives on is guessed from dates that a policy left on the client.",
			Hint: hintPolicies,
		})
	default:
		findings = append(findings, providers.Finding{What: "reading client policies: " + err.Error()})
	}
	return findings
}

func clientFindings(list []representation) []providers.Finding {
	if len(list) == 0 { // every realm has built-in clients
		return []providers.Finding{{Problem: true, Refused: true, What: "The account sees no client at all.", Hint: hintManage}}
	}
	if !list[0].client(time.Time{}).manageable {
		return []providers.Finding{{
			Problem: true, Rotation: true, Refused: true, What: "The account may read clients but not replace their secrets.", Hint: hintManage,
		}}
	}
	return nil
}

func hintFor(err error) string {
	switch providers.ClassOf(err) {
	case providers.ClassAuth:
		return hintManage + " If the login itself was refused, check client_id and its secret."
	case providers.ClassRejected, providers.ClassNotFound:
		return "Check url, realm and login_realm; older servers have /auth at the end of the URL."
	default:
		return "Check that the server runs and can be reached from here."
	}
}
