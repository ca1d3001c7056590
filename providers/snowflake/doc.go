// Package snowflake adapts the client secrets of Snowflake OAuth: a security integration has two, in fixed slots, and both are
// valid all the time.
//
//	POST /api/v2/statements   SYSTEM$SHOW_OAUTH_CLIENT_SECRETS            both values, whoever asks
//	                          ALTER ... REFRESH OAUTH_CLIENT_SECRET[_2]   another value for one slot ─► create, and revoke
//	POST /oauth/token-request a code that does not exist                  proves a secret
//
// Snowflake does not say which slot consumers use; Vault does. A create refreshes the other slot, and a revoke refreshes the slot
// that holds the old value: then that is the spare one, with a value that nobody has been given. The names of integrations go into
// SQL, so only plain ones are taken.
package snowflake
