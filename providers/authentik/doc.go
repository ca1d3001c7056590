// Package authentik adapts authentik (goauthentik.io): one secret per OAuth2/OpenID provider, which an update replaces.
//
//	GET   /api/v3/providers/oauth2/?client_id=  the provider and its secret ┐
//	PATCH /api/v3/providers/oauth2/{pk}/        {client_secret}             ├─ one create
//	POST  /application/o/token/                 proves a secret             ┘
//
// The old secret dies when the new one is set. What is set can be read again, so an answer that never came loses nothing.
package authentik
