// Package telicent adapts the Telicent Auth Server: one current secret per client and, after a rotation, the previous
// one for a grace window.
//
//	POST   /clients/{id}/secret          first secret        ┐
//	POST   /clients/{id}/secret/rotate   current ► previous  ├─ plaintext once
//	GET    /clients/{id}/secret          dates, rotationRequired
//	DELETE /clients/{id}/secret?target=  ends one slot
//	POST   /oauth2/token                 proves a secret (X-Forwarded-Proto: https)
//
// The vendor documents the calls and not the JSON of their answers, so fields are looked for under the names that are
// usual, and a setting can name each one.
package telicent
