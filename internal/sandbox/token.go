package sandbox

import (
	"mime"
	"net/http"
	"net/url"
)

// Methods of client authentication (RFC 6749 section 2.3.1).
const (
	methodBasic = "basic"
	methodPost  = "post"
)

// maxForm is the size limit of every request body, in bytes.
const maxForm = 64 << 10

// tokenReply is a successful answer (RFC 6749 section 5.1).
type tokenReply struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope,omitempty"`
}

// oauthError is an error answer (RFC 6749 section 5.2).
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// token is the token endpoint of RFC 6749: client_credentials, and authorization_code with codes that never exist.
func (p *IdP) token(w http.ResponseWriter, r *http.Request) {
	c, ok := p.authenticate(w, r)
	if !ok {
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		p.grant(w, r, c)
	case "authorization_code":
		if r.PostForm.Get("code") == "" {
			refuse(w, http.StatusBadRequest, "invalid_request", "code is missing")
			return
		}
		refuse(w, http.StatusBadRequest, "invalid_grant", "the code is not known")
	case "":
		refuse(w, http.StatusBadRequest, "invalid_request", "grant_type is missing")
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "")
	}
}

func (p *IdP) grant(w http.ResponseWriter, r *http.Request, c *client) {
	if c.NoGrant {
		refuse(w, http.StatusBadRequest, "unauthorized_client", "the client may not use this grant")
		return
	}
	answer(w, http.StatusOK, tokenReply{
		AccessToken: p.grantBearer(c, p.now()),
		TokenType:   "Bearer",
		ExpiresIn:   int(tokenLife.Seconds()),
		Scope:       r.PostForm.Get("scope"),
	})
}

// introspect is the introspection endpoint of RFC 7662. No token is ever active: what it is asked for here is whether
// the client may ask at all.
func (p *IdP) introspect(w http.ResponseWriter, r *http.Request) {
	if _, ok := p.authenticate(w, r); !ok {
		return
	}
	if r.PostForm.Get("token") == "" {
		refuse(w, http.StatusBadRequest, "invalid_request", "token is missing")
		return
	}
	answer(w, http.StatusOK, map[string]bool{"active": false})
}

// authenticate reads the form and logs the client in. When that fails, it has answered.
func (p *IdP) authenticate(w http.ResponseWriter, r *http.Request) (*client, bool) {
	id, secret, method, problem := credentials(w, r)
	if problem != "" {
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
		return nil, false
	}
	c, why := p.login(id, secret, method)
	if why != admitted {
		if method == methodBasic {
			w.Header().Set("WWW-Authenticate", `Basic realm="sandbox"`)
		}
		refuse(w, http.StatusUnauthorized, "invalid_client", "client authentication failed")
		return nil, false
	}
	return c, true
}

// credentials takes the client's credentials from the header or the form, never from both (RFC 6749 section 2.3).
func credentials(w http.ResponseWriter, r *http.Request) (id, secret, method, problem string) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return "", "", "", "the body must be application/x-www-form-urlencoded"
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return "", "", "", "the form cannot be read"
	}
	user, password, basic := r.BasicAuth()
	switch {
	case basic && r.PostForm.Has("client_secret"):
		return "", "", "", "more than one way of client authentication"
	case basic:
		id, errID := url.QueryUnescape(user)
		secret, errSecret := url.QueryUnescape(password)
		if errID != nil || errSecret != nil {
			return "", "", "", "the credentials are not form-encoded"
		}
		return id, secret, methodBasic, ""
	case r.PostForm.Get("client_id") == "":
		return "", "", "", "client authentication is missing"
	}
	return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret"), methodPost, ""
}

func refuse(w http.ResponseWriter, status int, code, description string) {
	answer(w, status, oauthError{Error: code, Description: description})
}
