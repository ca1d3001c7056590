// Package gcpoauthclient adapts Google Cloud: the credentials of an OAuth client for people of a workforce pool, of which there may be two.
//
//	GET    projects/P/locations/L/oauthClients/C                  the id that the client logs in with
//	GET    .../oauthClients/C/credentials                         what there is
//	POST   .../oauthClients/C/credentials?oauthClientCredentialId=ID   one create: rotad names it, Google makes the secret
//	PATCH  .../credentials/ID?updateMask=disabled                 the first half of a revoke: nobody logs in with it any more
//	DELETE .../credentials/ID                                     the second: it gives its place back
//	POST   token endpoint (RFC 6749)                              proves a secret, with a code that never was
//
// A credential has no start, no end and no room for a label. But rotad chooses its id, so the label is its id:
//
//	rotad/0197f9b2-6c5e-7a41-9d2f-3b1c55aa0e10/2  ◄──►  r-agl7tmtmlz5edhjphmoflkqoca-2
package gcpoauthclient
