// Package years lets fleets live through years of a bubble's time within minutes: the real loop, the real store, the
// real effects and the real outbox, against modelled providers, a modelled Vault and a mailbox, with clocks that jump,
// machines that sleep, servers that are away, and people who answer late. It holds tests only.
//
//	timetable ─► trouble: outages, restarts, suspends, jumps of the clock
//	                │
//	clocks ─► scheduler.Run ─► rotation.Executor ─► accounts, kv ─┐
//	              │ state/bolt                                    ├─► judge: oracles, windows, repetitions, lags
//	          notify.Loop ─► mailbox ─► people ───────────────────┘
package years
