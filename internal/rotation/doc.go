// Package rotation is HOW a secret is replaced: a pure step function, and the effects that it asks for.
//
//	            ┌────────────── Plan(record, env) ──► decision: record to commit first, one effect, a reason
//	record ─────┤                                              │
//	            └── Apply(record, effect, outcome, env) ◄── Executor.Run: observe first, then act
//
// Plan and Apply do no I/O and read no clock; the Executor decides nothing about what comes next. Whoever drives them
// commits the record of every decision before the effect runs, and the record of every outcome after it. A process that
// dies anywhere starts again with Plan: there is no recovery code, because each effect first looks at what is there.
//
// Whether a secret was staged or published is decided only by Vault's compare-and-swap; every read is a hint.
package rotation
