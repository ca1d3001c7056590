package state

import (
	"errors"
	"fmt"
)

// The errors of a store. Those of a state file arrive wrapped in a *FileError, which says what to do.
var (
	// ErrFatal: a commit failed, and whether it took place is not known. The store takes no more changes; the process
	// has to finish what is in flight, exit, and start again.
	ErrFatal = errors.New("the state could not be written, and whether it was is not known")
	// ErrClosed: the store has been closed; nothing happened.
	ErrClosed = errors.New("the store is closed")
	// ErrReadOnly: the store was opened for reading; nothing happened.
	ErrReadOnly = errors.New("the store is open for reading only")
	// ErrGone: there is no such record or notice (any more); nothing happened.
	ErrGone = errors.New("there is no such entry")
	// ErrConflict: CommitMany found another revision than the one that a change was made from; nothing happened.
	ErrConflict = errors.New("the record has changed meanwhile")
	// ErrInvalid: a change that cannot be stored; nothing happened.
	ErrInvalid = errors.New("it cannot be stored")
	// ErrCorrupt: bytes that no rotad wrote, or that were changed or cut off since.
	ErrCorrupt = errors.New("corrupt")
	// ErrNewer: written by a newer rotad.
	ErrNewer = errors.New("written by a newer rotad")
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("another rotad has it open")
	// ErrFilesystem: the file stands on a file system whose locks cannot be trusted.
	ErrFilesystem = errors.New("locks cannot be trusted on this file system")
	// ErrInstance: the file belongs to another rotad.
	ErrInstance = errors.New("it belongs to another instance")
)

// The names of the unique indexes.
const (
	IndexID    = "id"
	IndexRef   = "provider and ref"
	IndexVault = "vault path"
)

// Duplicate says that a change would give two clients the same id, provider and ref, or Vault path. Nothing happened.
type Duplicate struct {
	Index string // IndexID, IndexRef or IndexVault
	ID    string // the client that has it
}

// Error names the index and the other client.
func (d *Duplicate) Error() string {
	return fmt.Sprintf("the client %s already has this %s", d.ID, d.Index)
}

// FileError is a refusal of a state file: what is wrong with it, and what to do. The file has not been changed.
type FileError struct {
	Path   string
	Err    error // wraps one of the errors above
	Advice string
}

// Error says which file and what is wrong.
func (e *FileError) Error() string { return fmt.Sprintf("state file %s: %v", e.Path, e.Err) }

// Hint says what to do.
func (e *FileError) Hint() string { return e.Advice }

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Refusal is one change of a CommitMany that was not made.
type Refusal struct {
	Index int   // of the change
	Err   error // ErrConflict, ErrGone, ErrInvalid or a *Duplicate
}
