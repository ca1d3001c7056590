// Package vaulttest is the conformance suite of the Vault client: what a rotation relies on, asked of a server. It runs
// against the sandbox in unit tests and against a real Vault in the integration tests, so that the one cannot drift
// from the other.
//
//	Run ──► vault.Client ──► Faults (a proxy that loses replies) ──► server
//	    └── root token ────────────────────────────────────────────► server   others who write, delete, seal
package vaulttest
