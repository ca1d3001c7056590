// Package sim runs the real step function and the real effects through schedules of faults: a modelled provider, Vault
// and state, one thread, no real time, nothing random that is not a seed. Every call of a rotation is a point; at each
// point something can go wrong, and somebody can do something. The oracles of internal/oracle are asked before every
// mutation and after every step, and again when all is quiet. A schedule that breaks one is a line that repeats it.
//
//	explore: every single point, every pair, random seeds
//	   │
//	Schedule ──► Life: scheduler.Step ──► rotation ──► model (provider, Vault, commits)
//	   │            ▲                                        │ each call: fault? somebody's act?
//	   │            └── people resolve holds ◄── oracles ◄───┘
//	   └──► shrink ──► REPLAY="two-slot 12:timeout 31:hold"
package sim
