// Package dcr rotates the secrets of clients that manage their own registration: OAuth 2.0 Dynamic Client Registration
// Management (RFC 7592), which belongs to RFC 7591.
//
//	Vault ──► registration_access_token, registration_client_uri ──► GET  ──► metadata, secret, expiry
//	  ▲                                                               │
//	  │                                                               ▼  without what a client must not send
//	  └── staged before anything else: secret, new token ◄─────────── PUT
//
// The token opens exactly one client, and a server may replace it with every update. It is therefore no setting but a field
// of the client's bundle: what an update answers with goes to Vault in one write, the secret together with the token that
// the next rotation needs. Whether an update makes a new secret at all is the server's own affair (RFC 7592 section 2.2).
// One that answers with the secret from before has rotated nothing; that is an error, and the token beside it is kept.
package dcr
