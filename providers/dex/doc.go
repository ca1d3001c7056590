// Package dex adapts Dex (dexidp.io) over its gRPC API. A client has one secret, and no call changes it: it is deleted and made again,
// with everything else as it was.
//
//	GetClient     the client, with its secret
//	CreateClient  a spare copy under another id, as it is          ┐
//	DeleteClient  the client                                       ├─ one create
//	CreateClient  the client with another secret                   │
//	DeleteClient  the spare copy                                   ┘
//	POST /token   proves a secret
//
// Between the two middle calls nobody knows the client. The copy is there for whatever ends rotad in that moment: the next look finds it,
// takes the client for unchanged, and the next create makes it again from there. Messages are handed on as they came, byte for byte,
// so fields that a newer Dex has survive as well.
package dex
