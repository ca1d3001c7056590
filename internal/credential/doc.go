// Package credential is the domain of rotad: every type that is persisted, and the rules that need nothing but
// those types. It uses the standard library only, reads no clock and does no I/O; "now" is always an argument.
//
//	Client ──► Record ──┬── Rotation (one run: intent ► staged ► verified ► overlap ► revoking)
//	(registered)        ├── Hold     (a stop that needs a person)
//	                    ├── Notices  (what people have been told)
//	                    └── Calendar (the one event of this client)
//
//	Change = Record + due entry + notices + audit entries: the unit that a store commits, all or nothing
//
// A clear secret never stands in a Record. Where one has to travel it is a Sensitive, which cannot be printed.
package credential
