// Package sandbox is the demo world in one process: an identity provider, a mailbox, a KV v2 store and consumers. It
// uses the standard library only, never reads the clock itself, and stores verifiers of secrets, never secrets.
//
//	                      ┌───────────────────────── IdP ─────────────────────────┐
//	rotad ──► Faults ──►  │ /telicent/...   current and previous, grace window     │
//	                      │ /graph/v1.0/... two slots      /login/{tenant}/...     │ ──► clients: verifiers, logins
//	                      │ /logto/api/...  named secrets, any number              │
//	person ────────────►  │ /portal/...     a form                                 │
//	Consumer ──────────►  │ /oauth2/token   /oauth2/introspect                     │
//	                      └────────────────────────────────────────────────────────┘
//	rotad ──► Mailbox (SMTP)          Consumer ──► KV v2          rotad ──► Cluster (Secrets of Kubernetes)
//	rotad ──► Hook (webhooks), Slack
//
// One client may be served through every dialect at once: they all work on the same list of versions. Authentik, Salesforce, Snowflake,
// Keycloak, AppRole, Google, LightAPI, ODC and Rover are servers of their own.
package sandbox
