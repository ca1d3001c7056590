// Package model is a small world to try the rotation protocol in: a provider of every overlap mode, Vault's KV v2, and
// faults at every call. It is deterministic and single-threaded; tests drive the real step function, the real effects
// and the real loop against it.
//
//	Plan/Apply/Executor ──► Provider ─┐
//	                    ──► Vault ────┼── World.call ── fault? ── before | lost reply | crash after | refused | ...
//	                    ──► commits ──┘
package model
