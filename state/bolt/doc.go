// Package bolt keeps the state of rotad in one bbolt file: the default store.
//
//	Commit ─┐                       ┌── record   id                      -> last audit seq, record
//	Settle ─┼──► one writer groups ─┼── due      provider 0 time id      (claims and heads are in memory)
//	Prune ──┘    what waits into    ├── expiry   time id                 (most urgent first)
//	             one transaction    ├── active   id                      (in a rotation, or held)
//	                                ├── unique   ref or Vault path       -> id
//	Claim, Get, List, History,      ├── outbox   seq -> notice;  outdue  time seq;  outkey  key -> seq
//	Aggregates: readers, of what    ├── audit    seq                     -> hash of the one before, entry
//	is on the disk                  ├── archive  id                      -> like record
//	                                ├── count    name                    -> number
//	                                └── meta     schema, instance, boot, key, watermark, clean, restored
//
// Every value is sealed by package state. Whoever opens a file first reads it whole and checks every page and every
// checksum without bbolt, which trusts what it maps: a damaged file is refused, never repaired, never written to.
//
// *Store satisfies these interfaces of its consumers, and the whole of statetest.Store:
//
//	scheduler: Claim, ClaimOne, Release, Commit, NextDue, Providers
//	notify:    ClaimNotices, Settle, NextNotice
//	admin:     Get, List, Active, History
//	metrics:   Aggregates, Expiring, MostUrgent, Active
package bolt
