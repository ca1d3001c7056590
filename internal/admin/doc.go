// Package admin is the way from the commands to the running daemon: JSON over HTTP on a Unix socket. It decides nothing;
// what is asked for goes to a Reader or to an Actor, and their answer goes back.
//
//	rotad rotate ID ─► Client ──(admin.sock, 0660, group rotad)──► Server ─┬─► Reader  (Get, List, History)
//	                                                    │                  ├─► Actor   (Do)
//	                     who asks: SO_PEERCRED ─────────┘                  └─► World, Copier
//
// Who may open the socket may use all of it; who did what stands in the audit under the name that the kernel vouches
// for. No answer carries a clear secret. One request does, that of "rotad submit": its value stands in the body only, and
// becomes a credential.Sensitive while the body is decoded.
package admin
