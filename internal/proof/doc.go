// Package proof carries the figures of the proof's parts from the tests that measured them to the table of docs/proof.md.
// Nobody types a figure: a part that has run at full size writes one file, and one program writes the table from the files.
//
//	internal/proof/table ──► make sim, kills, ... ──► Write("sim", Result{...}) ──► $ROTAD_PROOF/<part>.json ──┐
//	docs/proof/<part>.json, docs/proof.md ◄── with the commit, the machine and the date ◄─────────────────────┘
package proof
