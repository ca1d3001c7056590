// Package generated makes values that nobody but their readers knows: salts, and the keys of CSRF and state tokens. There is no
// provider to ask; Vault itself says which value counts.
//
//	Create ──► random value ──► Vault staging ──► Vault ──► readers, when they are restarted
//	Verify ──► is it what Vault holds?
//
// Two such values have no overlap: whoever has read the new one no longer knows what was made with the old one. So it is a hard
// cutover, which has to be allowed, and what it invalidates is said before.
package generated
