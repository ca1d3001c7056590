// Package proof carries the figures of the proof's parts from the tests that measured them to the table of docs/proof.md.
// Nobody types a figure: a part that has run at full size writes one file, and one program writes the table from the files.
//
//	make sim ──┐  Write("sim", Result{...})
//	kills   ───┼──► $ROTAD_PROOF/<part>.json ──► internal/proof/table ──► docs/proof/*.json, docs/proof.md
//	fuzz    ───┘                                    each with its commit, machine, date
package proof
