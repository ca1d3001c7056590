// Package entra adapts applications of Microsoft Entra ID: independent passwords with ids, labels and expiries, kept
// through Microsoft Graph and proved at the tenant's token endpoint.
//
//	POST /applications(appId='..')/addPassword       a new password beside the others; plaintext once
//	POST /applications(appId='..')/removePassword    ends one, by its keyId
//	GET  /applications(appId='..')                   lists them
//	GET  /applications?$top=999                      a page of the tenant, with a link to the next one
//	POST {login_url}/{tenant}/oauth2/v2.0/token      rotad's own login, and the proof of a secret
//
// The list itself is never written: a PATCH of passwordCredentials replaces all of them.
package entra
