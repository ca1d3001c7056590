// Package keycloakkeys adapts clients of Keycloak that log in with a signed JWT and keep their public keys in Keycloak itself, as a JWK Set:
// any number of keys, side by side.
//
//	GET  /admin/realms/{realm}/clients?clientId=   the client, whole, with its attribute jwks.string  ┐
//	PUT  /admin/realms/{realm}/clients/{uuid}      the same with one key more, or one less            ┘ one create, one revoke
//	POST /realms/{realm}/protocol/openid-connect/token   client_assertion: proves a key
//
// The private half is made by rotad and stands in Vault before Keycloak hears of the public one. Adding the same key again changes nothing. Clients
// whose keys Keycloak fetches from an address belong to the kind jwks.
package keycloakkeys
