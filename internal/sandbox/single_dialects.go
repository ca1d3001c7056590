package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// Paths of the dialects of a Single: the url of a provider of that sort.
const (
	PathAuth0      = "/auth0"
	PathFusionAuth = "/fusionauth"
	PathHydra      = "/hydra"
	PathZitadel    = "/zitadel"
)

// with finds the client that a request names, and lets in who may ask.
func (s *Single) with(admits func(*http.Request) bool, fail func(w http.ResponseWriter, status int), do func(http.ResponseWriter, *http.Request, *singleClient)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := s.clients[r.PathValue("id")]
		switch {
		case !admits(r):
			fail(w, http.StatusUnauthorized)
		case c == nil:
			fail(w, http.StatusNotFound)
		default:
			do(w, r, c)
		}
	}
}

// page returns some clients, in the order of their ids.
func (s *Single) page(from, size int) (page []*singleClient) {
	ids := slices.Sorted(maps.Keys(s.clients))
	for _, id := range ids[min(from, len(ids)):min(from+size, len(ids))] {
		page = append(page, s.clients[id])
	}
	return page
}

func (s *Single) bearer(r *http.Request) bool { return s.admitted(r, "Bearer ") }

// auth0Routes are the Management API for clients and the token endpoint, which says access_denied for a wrong secret
// (auth0.com/docs/api/management/v2/clients).
func (s *Single) auth0Routes(mux *http.ServeMux) {
	fail := func(w http.ResponseWriter, status int) {
		answer(w, status, map[string]any{"statusCode": status, "error": http.StatusText(status), "message": http.StatusText(status)})
	}
	const one = PathAuth0 + "/api/v2/clients/{id}"
	show := func(w http.ResponseWriter, c *singleClient) {
		answer(w, http.StatusOK, map[string]any{"client_id": c.id, "client_secret": c.secret})
	}
	mux.HandleFunc("GET "+one, s.with(s.bearer, fail, func(w http.ResponseWriter, _ *http.Request, c *singleClient) { show(w, c) }))
	mux.HandleFunc("GET "+PathAuth0+"/api/v2/clients", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		number, err := strconv.Atoi(query.Get("page"))
		size, sizeErr := strconv.Atoi(query.Get("per_page"))
		switch {
		case !s.bearer(r):
			fail(w, http.StatusUnauthorized)
		case err != nil || sizeErr != nil || number < 0 || size < 1 || size > 100:
			fail(w, http.StatusBadRequest)
		default:
			list := []map[string]any{}
			for _, c := range s.page(number*size, size) {
				list = append(list, map[string]any{"client_id": c.id, "client_secret": c.secret, "name": "App " + c.id})
			}
			answer(w, http.StatusOK, list)
		}
	})
	mux.HandleFunc("POST "+one+"/rotate-secret", s.with(s.bearer, fail, func(w http.ResponseWriter, _ *http.Request, c *singleClient) {
		s.set(c, "")
		show(w, c)
	}))
	mux.HandleFunc("POST "+PathAuth0+"/oauth/token", func(w http.ResponseWriter, r *http.Request) {
		id, secret, _, problem := credentials(w, r)
		switch c := s.clients[id]; {
		case problem != "":
			refuse(w, http.StatusBadRequest, "invalid_request", problem)
		case c == nil, !s.admits(c, secret):
			refuse(w, http.StatusUnauthorized, "access_denied", "Unauthorized")
		case r.PostForm.Get("audience") == "":
			refuse(w, http.StatusForbidden, "access_denied", "No audience parameter was provided, and no default audience has been configured")
		default:
			s.grant(w)
		}
	})
}

// fusionAuthRoutes are the API of applications, whose key stands in the header without a scheme (fusionauth.io/docs/apis/applications).
// What is missing or not allowed has no body.
func (s *Single) fusionAuthRoutes(mux *http.ServeMux) {
	key := func(r *http.Request) bool { return s.admitted(r, "") }
	fail := func(w http.ResponseWriter, status int) { w.WriteHeader(status) }
	show := func(w http.ResponseWriter, c *singleClient) {
		answer(w, http.StatusOK, map[string]any{"application": map[string]any{
			"id": c.id, "name": c.id, "active": true,
			"oauthConfiguration": map[string]any{"clientId": c.id, "clientSecret": c.secret, "clientAuthenticationPolicy": "Required"},
		}})
	}
	const one = PathFusionAuth + "/api/application/{id}"
	mux.HandleFunc("GET "+one, s.with(key, fail, func(w http.ResponseWriter, _ *http.Request, c *singleClient) { show(w, c) }))
	mux.HandleFunc("PATCH "+one, s.with(key, fail, func(w http.ResponseWriter, r *http.Request, c *singleClient) {
		var body struct {
			Application struct {
				OAuth struct {
					Secret string `json:"clientSecret"`
				} `json:"oauthConfiguration"`
			} `json:"application"`
		}
		if !decode(w, r, &body) || body.Application.OAuth.Secret == "" {
			answer(w, http.StatusBadRequest, map[string]any{"fieldErrors": map[string]any{}})
			return
		}
		s.set(c, body.Application.OAuth.Secret)
		show(w, c)
	}))
	mux.HandleFunc("POST "+PathFusionAuth+"/oauth2/token", s.login)
}

// hydraRoutes are the admin API for clients, which asks for no login, and the public token endpoint (www.ory.sh/docs/hydra/reference/api).
// A client is changed by a JSON Patch.
func (s *Single) hydraRoutes(mux *http.ServeMux) {
	anybody := func(*http.Request) bool { return true }
	fail := func(w http.ResponseWriter, status int) {
		answer(w, status, map[string]string{"error": "Unable to locate the resource", "error_description": ""})
	}
	show := func(w http.ResponseWriter, c *singleClient, fresh string) {
		body := map[string]any{"client_id": c.id, "client_secret_expires_at": 0, "token_endpoint_auth_method": "client_secret_basic"}
		if fresh != "" {
			body["client_secret"] = fresh
		}
		answer(w, http.StatusOK, body)
	}
	const one = PathHydra + "/admin/clients/{id}"
	mux.HandleFunc("GET "+one, s.with(anybody, fail, func(w http.ResponseWriter, _ *http.Request, c *singleClient) { show(w, c, "") }))
	mux.HandleFunc("PATCH "+one, s.with(anybody, fail, func(w http.ResponseWriter, r *http.Request, c *singleClient) {
		var patch []struct{ Op, Path, Value string }
		const shortest = 6
		if !decode(w, r, &patch) || len(patch) != 1 || patch[0].Op != "replace" || patch[0].Path != "/client_secret" || len(patch[0].Value) < shortest {
			answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_client_metadata", "error_description": "the patch cannot be used"})
			return
		}
		c.replaced = nil // which newer servers keep
		show(w, c, s.set(c, patch[0].Value))
	}))
	mux.HandleFunc("POST "+PathHydra+"/oauth2/token", s.login)
}

func (c *singleClient) zitadelUser() map[string]any {
	machine := map[string]any{"name": "App " + c.id}
	if c.secret != "" {
		machine["hasSecret"] = true
	}
	return map[string]any{"userId": c.id, "username": c.id, "state": "USER_STATE_ACTIVE", "machine": machine}
}

// zitadelRoutes are the user service for machine users, which shows whether there is a secret and nothing of it
// (zitadel.com/docs/apis/resources/user_service_v2). As everywhere in its JSON, false is left out.
func (s *Single) zitadelRoutes(mux *http.ServeMux) {
	fail := func(w http.ResponseWriter, status int) {
		codes := map[int]int{http.StatusUnauthorized: 16, http.StatusNotFound: 5} // of gRPC
		answer(w, status, map[string]any{"code": codes[status], "message": http.StatusText(status), "details": []any{}})
	}
	const one = PathZitadel + "/v2/users/{id}"
	mux.HandleFunc("GET "+one, s.with(s.bearer, fail, func(w http.ResponseWriter, _ *http.Request, c *singleClient) {
		answer(w, http.StatusOK, map[string]any{
			"details": map[string]any{"sequence": strconv.Itoa(c.made), "resourceOwner": "sandbox"}, "user": c.zitadelUser(),
		})
	}))
	mux.HandleFunc("POST "+PathZitadel+"/v2/users", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Query struct {
				Offset json.Number `json:"offset"` // a number, or a text, as in every JSON of protobuf
				Limit  int         `json:"limit"`
			} `json:"query"`
		}
		if !s.bearer(r) {
			fail(w, http.StatusUnauthorized)
			return
		}
		if !decode(w, r, &body) {
			fail(w, http.StatusBadRequest)
			return
		}
		offset, _ := strconv.Atoi(body.Query.Offset.String())
		list := []map[string]any{}
		for _, c := range s.page(offset, body.Query.Limit) {
			list = append(list, c.zitadelUser())
		}
		answer(w, http.StatusOK, map[string]any{"details": map[string]any{"totalResult": strconv.Itoa(len(s.clients))}, "result": list})
	})
	mux.HandleFunc("POST "+one+"/secret", s.with(s.bearer, fail, func(w http.ResponseWriter, _ *http.Request, c *singleClient) {
		answer(w, http.StatusOK, map[string]any{"clientSecret": s.set(c, ""), "creationDate": stamp(s.now())})
	}))
	mux.HandleFunc("POST "+PathZitadel+"/oauth/v2/token", s.login)
}
