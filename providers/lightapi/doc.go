// Package lightapi adapts light-portal, the portal of lightapi.net: one secret per OAuth client, and a command that
// regenerates it.
//
//	GET  /portal/query?cmd=  getFreshClient          version of the client, right before ┐
//	POST /portal/command     regenerateClientSecret  that version ► plaintext once       ├─ one create
//	GET  /portal/query?cmd=  getClient               after a stale version: who was it?  ┘
//	POST token_url                                   proves a secret
//
// The old secret dies with the new one, but the OAuth servers may know their verifiers from a cache: until it has run
// out, some refuse the new secret and accept the old one.
//
// The portal says neither value nor start of a secret. What it keeps is the version of the client, which every change
// of the client raises: a create is refused if somebody was there between the look and the command.
package lightapi
