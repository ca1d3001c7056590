// Package entracertificate adapts applications of Microsoft Entra ID that log in with a certificate (private_key_jwt). rotad makes the
// key pair and a certificate that it signs itself; the private half never leaves Vault and the consumer.
//
//	Generate ──► private key, certificate ──► Vault staging ──► Vault (consumers sign with it)
//	    │
//	    └ certificate ──► Create ──► PATCH /applications(appId='..') {keyCredentials: those that were there, and this one}
//	                      Revoke ──► PATCH, all but one
//	                      Verify ──► POST {login_url}/{tenant}/oauth2/v2.0/token, with an assertion by the key
//
// What must stay true: a PATCH replaces the whole list, so every entry that was there goes back as it came, but for the one that a
// revoke names.
package entracertificate
