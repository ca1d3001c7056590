package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// entraError is an error answer of Microsoft's login endpoint.
type entraError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	Timestamp   string `json:"timestamp"`
	TraceID     string `json:"trace_id"`
	Correlation string `json:"correlation_id"`
}

// entraFault is one way of failing: its OAuth error, its number, its words and its status.
type entraFault struct {
	code   string
	number int
	words  string
	status int
}

// entraFaults says how Microsoft's login endpoint words a refusal.
func entraFaults(why refusal) entraFault {
	switch why {
	case expired:
		return entraFault{"invalid_client", 7000222, "The provided client secret keys are expired.", http.StatusUnauthorized}
	case noClient:
		return entraFault{"unauthorized_client", 700016, "Application was not found in the directory.", http.StatusBadRequest}
	case disabled:
		return entraFault{"unauthorized_client", 7000112, "Application is disabled.", http.StatusUnauthorized}
	case admitted, wrongSecret, wrongMethod:
	}
	return entraFault{"invalid_client", 7000215, "Invalid client secret provided.", http.StatusUnauthorized}
}

// entraToken is the token endpoint of one tenant. It looks at tenant and scope before it looks at the secret, as the
// real one does.
func (p *IdP) entraToken(w http.ResponseWriter, r *http.Request) {
	if tenant := p.settings.Graph.Tenant; tenant != "" && r.PathValue("tenant") != tenant {
		p.refuseEntra(w, entraFault{"invalid_request", 90002, "Tenant not found.", http.StatusBadRequest})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	byKey := r.ParseForm() == nil && r.PostForm.Has("client_assertion")
	var id, secret, method, problem string
	if !byKey {
		id, secret, method, problem = credentials(w, r)
	}
	switch {
	case problem != "":
		p.refuseEntra(w, entraFault{"invalid_request", 900144, problem, http.StatusBadRequest})
		return
	case r.PostForm.Get("grant_type") != "client_credentials":
		p.refuseEntra(w, entraFault{"unsupported_grant_type", 70003, "Unsupported grant type.", http.StatusBadRequest})
		return
	case !strings.HasSuffix(r.PostForm.Get("scope"), "/.default"):
		p.refuseEntra(w, entraFault{"invalid_scope", 1002012, "The scope is not valid.", http.StatusBadRequest})
		return
	}
	c, fault := p.entraLogin(r, byKey, id, secret, method)
	if fault != nil {
		p.refuseEntra(w, *fault)
		return
	}
	answer(w, http.StatusOK, tokenReply{
		AccessToken: p.grantBearer(c, p.now()), TokenType: "Bearer", ExpiresIn: int(tokenLife.Seconds()),
	})
}

// entraLogin logs a client in by its key or by its secret.
func (p *IdP) entraLogin(r *http.Request, byKey bool, id, secret, method string) (*client, *entraFault) {
	if byKey {
		return p.asserted(r)
	}
	c, why := p.login(id, secret, method)
	if why != admitted {
		fault := entraFaults(why)
		return nil, &fault
	}
	return c, nil
}

func (p *IdP) refuseEntra(w http.ResponseWriter, f entraFault) {
	answer(w, f.status, entraError{
		Error:       f.code,
		Description: fmt.Sprintf("AADSTS%d: %s", f.number, f.words),
		Codes:       []int{f.number},
		Timestamp:   p.now().UTC().Format(time.DateTime) + "Z",
		TraceID:     p.id(),
		Correlation: p.id(),
	})
}
