// Package kills kills the daemon, again and again, in the middle of its work, and looks at what it leaves behind.
//
//	           ┌──────────────────── one world of several ─────────────────────┐
//	driver ───►│ rotad (killed, started, killed ...) ──► Vault, real           │
//	 steers,   │    │                                └─► provider process,     │
//	 kills,    │    └──► state file ◄── driver, while it is dead   Keycloak    │
//	 asks      └───────────────────────────────────────────────────────────────┘
//
// The daemon is built with the build tag "failpoints": it kills itself with SIGKILL at the point that the driver names,
// or a moment after it. Else the provider kills it in the middle of a request, or the driver at a random moment. After
// every kill the dead state file is checked whole, and the oracles of internal/oracle are asked about every client, by
// what provider and Vault say now. At the end of a world the daemon lives until all is quiet, and is asked once more.
package kills
