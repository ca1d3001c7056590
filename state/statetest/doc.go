// Package statetest holds every store to the same rules, and has the store that tests of other packages use.
//
//	bolt_test.go ──┐
//	               ├──► Run(t, open): claims, commits, history, outbox, counters, concurrency
//	memory_test.go ┘
//
//	NewMemory() ──► *Memory: maps behind one lock, written for clarity; forgets everything
//
// Memory shares no code with state/bolt beyond what package state says about records, so that each is a witness of the
// other.
package statetest
