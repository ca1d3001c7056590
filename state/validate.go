package state

import (
	"fmt"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// Validate says whether a change can be stored at all. Errors wrap ErrInvalid.
func Validate(c *credential.Change) error {
	client := &c.Record.Client
	for _, name := range []struct{ what, text string }{
		{"client id", client.ID}, {"provider", client.Provider},
	} {
		if err := validName(name.what, name.text); err != nil {
			return err
		}
	}
	if refLength(client.Ref) > maxKey || len(client.Vault.Key()) > maxKey {
		return fmt.Errorf("client %s: %w: its ref or vault path is longer than %d bytes", client.ID, ErrInvalid, maxKey)
	}
	if err := validKind(c); err != nil {
		return fmt.Errorf("client %s: %w", client.ID, err)
	}
	for i := range c.Notices {
		if key := c.Notices[i].Key; key == "" || len(key) > maxKey {
			return fmt.Errorf("client %s: %w: a notice needs a key of 1 to %d bytes", client.ID, ErrInvalid, maxKey)
		}
	}
	return nil
}

func validKind(c *credential.Change) error {
	switch {
	case c.Create && c.Record.Rev != 0:
		return fmt.Errorf("%w: a created record has revision 0", ErrInvalid)
	case c.Create && (c.Rename != "" || c.Archive):
		return fmt.Errorf("%w: a created record is neither renamed nor archived", ErrInvalid)
	case c.Archive && c.Rename != "":
		return fmt.Errorf("%w: a record is either renamed or archived", ErrInvalid)
	default:
		return nil
	}
}

// maxKey bounds the parts of index keys; bbolt takes keys of up to 32768 bytes.
const maxKey = 8192

// refLength is a bound of the length of a canonical ref, in which a byte may become three; cheaper than making it.
func refLength(r credential.Ref) int {
	n := 0
	for k, v := range r {
		n += 3 * (len(k) + len(v) + 1)
	}
	return n
}

func validName(what, text string) error {
	if text == "" || len(text) > MaxIDLength || strings.ContainsRune(text, 0) {
		return fmt.Errorf("%w: a %s has 1 to %d bytes, none of them NUL", ErrInvalid, what, MaxIDLength)
	}
	return nil
}
