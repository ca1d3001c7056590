// Package httpapi is the one way in which adapters speak HTTP. What a status, a broken connection or a strange reply
// lets one conclude is decided here, once, so that no adapter has an opinion of its own.
//
//	adapter ──Request──► Client ──► login (Tokens) ──► net/http ──► server
//	   ▲                   │                              │
//	   └─Response / *providers.Error ◄── classify ◄── trace, status, headers, body (limited)
//
// What must stay true: a request that changes something is sent at most once, unless the server refused it with a
// definite 401; no redirect is followed; no reply is read beyond a limit; no error ever carries a byte of a body.
package httpapi
