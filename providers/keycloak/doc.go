// Package keycloak rotates the secrets of confidential clients of a Keycloak realm through its admin API.
//
//	            ┌─ policy covers the client ──► grace-window: POST moves the old secret into the slot "rotated"
//	Inspect ────┤
//	            └─ no policy ─────────────────► hard-cutover: POST kills the old secret
//
//	POST /clients/{uuid}/client-secret ──► value ──► GET /clients/{uuid} ──► start, expiry, end of the old one
//
// Client representations carry secrets in clear, the replaced one even in an attribute. They are taken apart in
// client.go and leave it only as Sensitive values. A client is never PUT: that would kill the old secret at once, and
// would silently rotate a client whose secret has expired.
package keycloak
