// Package state says how what rotad remembers is written down: the encoding of every stored value, the errors of a
// store, and which facts of a record its indexes and counters follow. It does no I/O; state/bolt keeps the values in a
// file, state/statetest in memory, and statetest.Run holds both to the same rules.
//
//	credential.Record ──► Encode ──► Seal ──► [format][schema][payload][crc32c] ──► a value in a bucket
//	                        │
//	                        └──► Facets: due, expiry, active, unique keys, counters (the same commit keeps them)
//
// A value is never trusted: Open checks format, schema and checksum before a byte of it is decoded, because bbolt itself
// has a checksum for its two meta pages only.
package state
