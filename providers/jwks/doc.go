// Package jwks rotates the key pairs of clients that log in with private_key_jwt (RFC 7523, OpenID Connect Core section 9). Nobody
// has to be asked for a new key: rotad makes it and publishes its public half, and whoever checks the client's signatures reads that.
//
//	Generate ──► private key ──► Vault staging ──► Vault (consumers sign with it)
//	    │
//	    └ public half ──► Create ──► DIR/CLIENT.json ◄── Publisher ◄── identity provider (jwks_uri)
//	                      Revoke ──►    (RFC 7517)
//
// The published file is what Inspect lists: kid (RFC 7638), since when, and which rotation it is of. It is replaced whole, so
// that no reader ever sees half of it.
package jwks
