// Package providers holds the contract between rotad and identity providers: the interfaces that an adapter
// implements, the errors that say what may be concluded from a failure, and the decorator that limits and measures.
//
//	internal/rotation ──► Provider (decorated: latency, limits, outcome) ──► providers/<kind> ──► httpapi ──► server
//
// An adapter is required to Inspect, Create and Verify. What else it can do (Recoverer, Revoker, ...) is found by type
// assertion, and whether that applies to one client is said by credential.Capabilities, which Inspect probes afresh.
package providers
