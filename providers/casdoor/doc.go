// Package casdoor adapts Casdoor: one secret per application, which an update replaces.
//
//	GET  /api/get-application?id=       the application, whole, with its secret ┐
//	POST /api/update-application?id=    the same, with another secret           ├─ one create
//	POST /api/login/oauth/access_token  proves a secret                         ┘
//
// An update writes every column: what it leaves out is emptied, and an application without a secret lets everybody in. So it
// sends back what the look right before has shown, byte for byte, with one value exchanged, or it sends nothing. The old secret
// dies when the new one is set. What is set can be read again, so an answer that never came loses nothing.
package casdoor
