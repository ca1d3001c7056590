// Package scheduler is WHEN: it sleeps until something is due, claims due records, lets the step function decide,
// carries out the effect, and commits.
//
//	earliest due entry ─┐
//	wake (admin, reload)├─► Run ─► Claim per provider ─► process ─► Plan ─► Commit ─► Executor.Run ─┐
//	finished work ──────┘                                   ▲                                       │
//	                                                        └──────── Commit ◄─ Apply ◄─────────────┘
//
// The cron schedule only says when a client is to be looked at next; what is due is decided by the durable due index, so
// that a missed tick, a restart, a suspended machine or a changed clock loses nothing. Each provider has workers of its
// own: one that is slow or broken delays no other.
package scheduler
