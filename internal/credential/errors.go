package credential

import "errors"

// Errors of Vault, as a rotation has to tell them apart. They stand here because the client of Vault and the rotation
// share nothing but this package. A write that failed with any other error may have taken place.
var (
	// ErrCAS: another version stands there than the one that the write was made from; it may be our own.
	ErrCAS = errors.New("the version in vault is another one than expected")
	// ErrDenied: the token has no right to this path; nothing was written.
	ErrDenied = errors.New("vault denies it: the token has no right to this path")
	// ErrSealed: vault is sealed, not initialised or has no active node; nothing was written.
	ErrSealed = errors.New("vault is sealed or not ready")
	// ErrNoMount: there is no KV v2 mount at this path; nothing was written.
	ErrNoMount = errors.New("vault has no KV v2 mount at this path")
)
