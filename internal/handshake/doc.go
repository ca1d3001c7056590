// Package handshake lets consumers say which version of a secret they run on, so that an old one can wait for them.
//
//	consumer ──► POST /v1/clients/{client}/consumers/{consumer}  {"version": 7}
//	             Authorization: Bearer rotad-consumer-…          ──► Moved ──► the record
//
// A token is good for one consumer of one client and for nothing else. It is made from a key and checked by making it again,
// so that no token is kept anywhere; another key makes all of them worthless. What a token can do is to say a number: it
// reads nothing.
package handshake
