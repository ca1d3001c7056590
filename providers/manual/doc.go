// Package manual stands for every provider without an API: a person makes the secret in a portal and brings it with
// "rotad submit". What is left to do here is to say so, and to prove the secret where a token endpoint is known.
//
//	person ──► portal
//	person ──► rotad submit ──► staged ──► Verify ──► token endpoint, if one is configured
package manual
