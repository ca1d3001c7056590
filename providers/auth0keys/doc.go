// Package auth0keys adapts the public keys that applications of Auth0 log in with (private_key_jwt): up to two, side by side.
//
//	GET    /api/v2/clients/{id}/credentials        what keys there are    ┐
//	GET    /api/v2/clients/{id}                    which are in use       │
//	POST   /api/v2/clients/{id}/credentials        the public half        ├─ one create
//	PATCH  /api/v2/clients/{id}                    both are in use        ┘
//	POST   /oauth/token                            client_assertion: proves a key
//	PATCH, DELETE .../credentials/{credential}     the old one is out of use, and gone
//
// The private half is made by rotad and stands in Vault before Auth0 hears of the public one. Whatever answer is lost, the same key is found by
// its name, which is what it is (RFC 7638), so a create is repeated without harm.
package auth0keys
