// Package keypair makes the keys of clients that sign in place of showing a secret, reads them out of a bundle, and proves them.
//
//	Make(algorithm) ──► Bundle(client) ──► Vault
//	bundle ──► Of ──► key ──► Proof.Sign ──► client_assertion of a token request
//	              └──► Thumbprint (kid), PublicPEM: what the provider gets
package keypair
