// Package exec lets a program of somebody's own be the adapter: rotad writes one call as JSON to its stdin and reads one
// reply as JSON from its stdout. One process per call, nothing is kept between two.
//
//	Create ─► call ──stdin──► program ──► its provider      docs/reference/exec.md is the protocol
//	            │                │
//	            │   stdout ◄─────┤   one reply, at most so long
//	            │   stderr ◄─────┘   to the log, what was sent and received is taken out
//	            │
//	            ├─ exit 0 or 1, whole reply ─► what it says
//	            └─ crash, signal, deadline  ─► a read failed, a create is of unknown outcome
//
// The deadline ends the whole process group. What a program says it can do for a client is data in its answer to inspect.
package exec
