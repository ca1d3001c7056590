// Package http is the kind for any REST API that a configuration can describe: which requests look, create and revoke,
// and where in the answers the values stand. A preset is such a description that comes with the program.
//
//	preset ─┐
//	         ├─ merge ─► compile ─► plan ──┬─ call: {placeholders} ─► request ─► httpapi ─► server
//	block ──┘             │                └─ answer ─► JSONPath ─► status, issued secret
//	                      └─ every mistake, for "rotad check", and recorded answers to prove it with
//
// What must stay true: a clear value goes into bodies and headers only, never into an address; no expression fails with
// a piece of an answer, and none takes longer than the answer is long; an answer in which nothing is recognised is never
// taken for "there is no secret".
package http
