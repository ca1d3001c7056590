// Package canary looks for clear secrets where none may be. Every secret that a test makes is written into a ledger; what
// left the process meanwhile is searched for all of them at once, raw and in every shape that a program gives a value.
//
//	sandbox, harness ──► Ledger ──► Search: windows of 12 bytes ──┐
//	                       #1 #2 ...  of each value in each shape │
//	logs, state, backups, mails, metrics ──► unpack ──► unfold ──► probe every position ──► Hit{file, offset, #2, base64}
//
// A hit names a secret by its number in the ledger, never by its value. Where there is nothing to look for, or nothing to
// look at, a search fails: silence of that sort is no proof.
package canary
