// Package oracle says, once and in code, what rotad claims: the law and the invariants I1 to I20. Every proof asks the
// same oracles: the exhaustive schedules, the simulated years, the killed processes, the power cuts, the faults on the
// wire. An oracle looks at the world as somebody sees it who can see everything, and never at how rotad came there.
//
//	provider ─┐
//	Vault ────┼──► View ──► Moment   at every moment
//	state ────┤         ──► Before   right before a mutation takes effect, with the Act
//	outbox ───┘         ──► Quiet    when nothing moves any more
//	                          │
//	                          └──► Broken: the invariant, and what was seen; never a value
package oracle
