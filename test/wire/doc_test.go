// Package wire_test breaks the connections of the built daemon, one line at a time, while many clients rotate: toxiproxy
// delays, drips, cuts, truncates, swallows and refuses what goes to and comes from Keycloak, Vault and the mail server,
// and a hostile server answers without end. When the fault is gone everything has to come right by itself.
//
//	          ┌─ toxiproxy ─┐
//	rotad ────┤ provider ───┼──► Keycloak ◄─┐
//	  ▲       │ vault ──────┼──► Vault ◄────┼── onlooker: oracle.Moment all the time, oracle.Quiet at the end
//	  │       │ mail ───────┼──► Postfix    │
//	  │       └─────────────┘      │        │
//	  └── goroutines, memory ◄─────┼── gauge│
//	                               └────────┴── every mail once
//
// ROTAD_WIRE=all plays every fault on every line in both directions; without it a few of each are played.
package wire_test
