// Package providertest is the conformance suite that every kind of provider passes, against a stand-in in its unit
// tests and against the real server where there is one.
//
//	Run ──► one World per test ──► Open(transport) ──► adapter ──► Faults (a RoundTripper) ──► server
//	                                                                  │
//	                                500, 429, HTML, redirect, huge, broken off, slow, reset, refused
//
// Faults are injected in front of the server, so a real one needs no help. What a request did at the server is asked of
// the World, never of the adapter.
package providertest
