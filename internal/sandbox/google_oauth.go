package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
)

// googlePerClient is how many credentials an OAuth client may have.
const googlePerClient = 2

// googleClient is an OAuth client for people of a workforce pool.
type googleClient struct {
	id, clientID string
	public       bool // it has no credentials
	off          bool
	credentials  []*googleCredential
	made         int
}

type googleCredential struct {
	id, display, secret string
	off                 bool
}

// RegisterClient adds an OAuth client, with a credential of this secret; empty = a public one, which has none. It returns the id that
// the client logs in with. ErrDuplicate: the name is taken.
func (g *Google) RegisterClient(id, secret string) (clientID string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.client(id) != nil {
		return "", fmt.Errorf("registering %q: %w", id, ErrDuplicate)
	}
	c := &googleClient{id: id, clientID: "client-" + id, public: secret == ""}
	if secret != "" {
		c.credentials = append(c.credentials, &googleCredential{id: "by-hand", secret: secret})
	}
	g.clients = append(g.clients, c)
	return c.clientID, nil
}

func (g *Google) client(id string) *googleClient {
	i := slices.IndexFunc(g.clients, func(c *googleClient) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	return g.clients[i]
}

// MadeFor returns how many credentials an OAuth client was given since it was registered.
func (g *Google) MadeFor(id string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.client(id); c != nil {
		return c.made
	}
	return 0
}

// Accepts says whether a login of an OAuth client with this secret would succeed now.
func (g *Google) Accepts(clientID, secret string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.knows(clientID, secret)
}

func (g *Google) knows(clientID, secret string) bool {
	return slices.ContainsFunc(g.clients, func(c *googleClient) bool {
		return c.clientID == clientID && slices.ContainsFunc(c.credentials, func(k *googleCredential) bool { return !k.off && k.secret == secret })
	})
}

func (g *Google) oauthRoutes(mux *http.ServeMux, at string) {
	mux.HandleFunc("GET "+at, g.admin(g.listClients))
	mux.HandleFunc("GET "+at+"/{client}", g.admin(g.ofClient(func(w http.ResponseWriter, _ *http.Request, c *googleClient) {
		answer(w, http.StatusOK, g.shownClient(c))
	})))
	mux.HandleFunc("GET "+at+"/{client}/credentials", g.admin(g.ofClient(g.listCredentials)))
	mux.HandleFunc("POST "+at+"/{client}/credentials", g.admin(g.ofClient(g.createCredential)))
	mux.HandleFunc("PATCH "+at+"/{client}/credentials/{credential}", g.admin(g.ofClient(g.patchCredential)))
	mux.HandleFunc("DELETE "+at+"/{client}/credentials/{credential}", g.admin(g.ofClient(g.deleteCredential)))
}

func (g *Google) ofClient(do func(http.ResponseWriter, *http.Request, *googleClient)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if c := g.client(r.PathValue("client")); c != nil {
			do(w, r, c)
			return
		}
		googleError(w, http.StatusNotFound, "NOT_FOUND", "Requested entity was not found.")
	}
}

func (g *Google) clientName(c *googleClient) string {
	return "projects/" + g.project + "/locations/global/oauthClients/" + c.id
}

func (g *Google) shownClient(c *googleClient) map[string]any {
	kind := "CONFIDENTIAL_CLIENT"
	if c.public {
		kind = "PUBLIC_CLIENT"
	}
	return map[string]any{
		"name": g.clientName(c), "clientId": c.clientID, "clientType": kind, "state": "ACTIVE", "displayName": "App " + c.id, "disabled": c.off,
	}
}

func (g *Google) listClients(w http.ResponseWriter, r *http.Request) {
	var all []any
	for _, c := range g.clients {
		all = append(all, g.shownClient(c))
	}
	googlePage(w, r, "oauthClients", all, g.settings.Page)
}

// shownCredential shows the secret as well: Google does so whenever it is asked.
func (g *Google) shownCredential(c *googleClient, k *googleCredential) map[string]any {
	return map[string]any{
		"name": g.clientName(c) + "/credentials/" + k.id, "displayName": k.display, "disabled": k.off, "clientSecret": k.secret,
	}
}

func (g *Google) listCredentials(w http.ResponseWriter, _ *http.Request, c *googleClient) {
	body := map[string]any{}
	var list []any
	for _, k := range c.credentials {
		list = append(list, g.shownCredential(c, k))
	}
	if len(list) > 0 {
		body["oauthClientCredentials"] = list
	}
	answer(w, http.StatusOK, body)
}

// googleCredentialID is what the name of a credential may look like.
var googleCredentialID = regexp.MustCompile(`^[a-z0-9-]{4,32}$`)

func (g *Google) createCredential(w http.ResponseWriter, r *http.Request, c *googleClient) {
	const longest = 32
	var asked struct {
		Display string `json:"displayName"`
	}
	id := r.URL.Query().Get("oauthClientCredentialId")
	switch {
	case json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&asked) != nil, len(asked.Display) > longest, !googleCredentialID.MatchString(id):
		googleError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "")
		return
	case slices.ContainsFunc(c.credentials, func(k *googleCredential) bool { return k.id == id }):
		googleError(w, http.StatusConflict, "ALREADY_EXISTS", "Requested entity already exists")
		return
	case c.public:
		googleError(w, http.StatusBadRequest, "FAILED_PRECONDITION", "")
		return
	case len(c.credentials) >= googlePerClient:
		googleError(w, http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "")
		return
	}
	c.made++
	k := &googleCredential{id: id, display: asked.Display, secret: told(g.made, "GOCSPX-"+rand.Text())}
	c.credentials = append(c.credentials, k)
	answer(w, http.StatusOK, g.shownCredential(c, k))
}

// credential finds the one that a request names; where there is none it has answered.
func (c *googleClient) credential(w http.ResponseWriter, r *http.Request) int {
	i := slices.IndexFunc(c.credentials, func(k *googleCredential) bool { return k.id == r.PathValue("credential") })
	if i < 0 {
		googleError(w, http.StatusNotFound, "NOT_FOUND", "Requested entity was not found.")
	}
	return i
}

func (g *Google) patchCredential(w http.ResponseWriter, r *http.Request, c *googleClient) {
	var asked struct {
		Disabled bool `json:"disabled"`
	}
	i := c.credential(w, r)
	switch {
	case i < 0:
	case r.URL.Query().Get("updateMask") != "disabled", json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&asked) != nil:
		googleError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "")
	default:
		c.credentials[i].off = asked.Disabled
		answer(w, http.StatusOK, g.shownCredential(c, c.credentials[i]))
	}
}

func (g *Google) deleteCredential(w http.ResponseWriter, r *http.Request, c *googleClient) {
	i := c.credential(w, r)
	switch {
	case i < 0:
	case !c.credentials[i].off:
		googleError(w, http.StatusBadRequest, "FAILED_PRECONDITION", "The credential must be disabled before it is deleted.")
	default:
		c.credentials = slices.Delete(c.credentials, i, i+1)
		answer(w, http.StatusOK, map[string]any{})
	}
}

// oauthToken is the token endpoint of OAuth clients (RFC 6749 section 4.1.3), with codes that never exist.
func (g *Google) oauthToken(w http.ResponseWriter, r *http.Request) {
	id, secret, _, problem := credentials(w, r)
	switch {
	case problem != "":
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
	case !g.knows(id, secret):
		refuse(w, http.StatusUnauthorized, "invalid_client", "The OAuth client was not found.")
	case r.PostForm.Get("grant_type") != "authorization_code":
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "")
	default:
		refuse(w, http.StatusBadRequest, "invalid_grant", "Bad Request")
	}
}
