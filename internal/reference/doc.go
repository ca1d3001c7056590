// Package reference writes those pages of docs/reference that say what the program itself can say, so that none is kept by hand
// beside it.
//
//	"rotad kinds --json" ──► Providers ──► docs/reference/providers.md
//
// "make generate" writes them, and a test of cmd/rotad, which alone knows all kinds of providers, refuses one that is out of
// date. The daemon contains none of this.
package reference

//go:generate go run ./generate
