// Package kv keeps a copy of a bundle at a further path of a KV version 2 mount, in rotad's own Vault or in another one.
//
//	Set.Vault(name) ──► HasKeys: same? ── yes ──► nothing is touched
//	                       ▲       │ no, and the version that was seen
//	       read back ◄─────┼── PutKeys of rotad's keys over that version, by compare-and-swap
//	                       └── version-mismatch: somebody was faster
//
// The data is replaced as a whole, because policies rarely give "patch": so what others keep there is read at exactly the version
// that the write replaces.
package kv
