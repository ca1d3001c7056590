// Package odc adapts OutSystems Developer Cloud (ODC): API clients, whose secrets a person makes in the ODC Portal today,
// and the endpoint that was asked for and would rotate them.
//
//	GET     /identity/.well-known/openid-configuration  ► token_endpoint, which proves a secret
//	person ──► ODC Portal ──► rotad submit              as long as there is no endpoint
//	OPTIONS /api/v1/clients/{id}/secrets/rotate         is there one? (api: auto) It changes nothing.
//	POST    /api/v1/clients/{id}/secrets/rotate         ► new_secret, valid_from, expires_at
//
// 404, 405 and 501 mean that the endpoint does not exist: nothing was made, and a person makes the secret after all. That
// is remembered for a day. No POST is ever sent to find out.
package odc
