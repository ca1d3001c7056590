// Package vaultapprole rotates the SecretIDs of a HashiCorp Vault AppRole: credentials that services log in to Vault
// with, rotated like those of any identity provider.
//
//	values: server   POST role/R/secret-id          Vault chooses; new beside old, each with an accessor
//	values: own      POST role/R/custom-secret-id   rotad chooses; sending the same value again is harmless
//
//	accessor = id     metadata {"rotad": label} = label     destroy by accessor = revoke
//
// SecretIDs of one role live side by side without a limit, so both ways are additive: nothing is ever replaced.
package vaultapprole
