package notify

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Address is a mailbox with a name for people.
type Address struct {
	Name string // may be empty
	Addr string
}

// IsZero says whether there is no address.
func (a Address) IsZero() bool { return a.Addr == "" }

// Domain returns what stands behind the at sign, in lower case.
func (a Address) Domain() string {
	_, domain, _ := strings.Cut(a.Addr, "@")
	return strings.ToLower(domain)
}

// maxAddress is the longest address that fits into an SMTP path with its angle brackets (RFC 5321 section 4.5.3.1.3).
const maxAddress = 254

// The policy is narrower than RFC 5321 on purpose. Quoted local parts, comments and address literals are legal, never
// used by people, and have been the way to smuggle parameters into SMTP commands.
var (
	localPart  = regexp.MustCompile(`^[\pL\pN!#$%&'*+/=?^_{|}~-]+(\.[\pL\pN!#$%&'*+/=?^_{|}~-]+)*$`)
	domainPart = regexp.MustCompile(`^[\pL\pN]([\pL\pN-]*[\pL\pN])?(\.[\pL\pN]([\pL\pN-]*[\pL\pN])?)*$`)
)

// CheckAddress refuses what is not one plain mailbox: quoted local parts, comments, several addresses, address
// literals, control characters, more than 254 bytes.
func CheckAddress(addr string) error {
	local, domain, ok := strings.Cut(addr, "@")
	switch {
	case addr == "":
		return errors.New("the address is empty")
	case !ok:
		return fmt.Errorf("%q has no @", addr)
	case len(addr) > maxAddress:
		return fmt.Errorf("an address of %d bytes is longer than %d", len(addr), maxAddress)
	case !utf8.ValidString(addr):
		return errors.New("the address is not valid UTF-8")
	case len(local) > 64 || !localPart.MatchString(local):
		return fmt.Errorf("%q: what stands before the @ is not a plain name", addr)
	case !domainPart.MatchString(domain):
		return fmt.Errorf("%q: what stands behind the @ is not a domain", addr)
	}
	return nil
}

// ParseAddress reads "Name <mailbox@example.com>" or a bare address and applies CheckAddress.
func ParseAddress(s string) (Address, error) {
	parsed, err := mail.ParseAddress(s)
	if err != nil {
		return Address{}, fmt.Errorf("reading the address %q: %w", s, err)
	}
	if err := CheckAddress(parsed.Address); err != nil {
		return Address{}, err
	}
	return Address{Name: clean(parsed.Name, maxName), Addr: parsed.Address}, nil
}

// ascii says whether a mailbox needs no SMTPUTF8 (RFC 6531).
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
