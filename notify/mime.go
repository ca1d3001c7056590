package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	netmail "net/mail"
	"strconv"
	"sync"

	"github.com/wneessen/go-mail"
)

// Headers of our own, for filters, ticket systems and tests.
const (
	HeaderKind      = "X-Rotad-Kind"
	HeaderClient    = "X-Rotad-Client"
	HeaderMilestone = "X-Rotad-Milestone"
)

// Compose writes the message in Internet Message Format (RFC 5322) with CRLF line ends, in ASCII only:
//
//	multipart/mixed                            only with a calendar object
//	  multipart/alternative
//	    text/plain; charset=UTF-8              quoted-printable
//	    text/html; charset=UTF-8               quoted-printable
//	    text/calendar; method=REQUEST          base64: a stripped trailing blank would change it
//	  application/ics; name="invite.ics"       the same bytes, for readers that want a file
//
// Of a digest the calendar object is an attachment alone: several events are no invitation, and no reader shall take them for
// one.
//
// Both calendar parts are needed: some readers see only the one, some only the other. The same message gives the same
// bytes, so that a message sent again is the same message.
func Compose(m Message) ([]byte, error) {
	var out bytes.Buffer
	if err := compose(&out, m); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// straight is quoted-printable by a name that the library does not know: such a part it encodes straight into the message, and one
// whose encoding it knows into a copy that grows, which is half of all that composing a message costs. Names of encodings are read
// without regard to case (RFC 2045 section 6.1).
const straight mail.Encoding = "Quoted-Printable"

// compose writes the message to the end of what is there, which has to be nothing.
func compose(out *bytes.Buffer, m Message) error {
	msg := mail.NewMsg(
		mail.WithNoDefaultUserAgent(), mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(straight))
	if err := addresses(msg, m); err != nil {
		return err
	}
	headers(msg, m)
	msg.SetBodyWriter(mail.TypeTextPlain, writes(m.Text))
	msg.AddAlternativeWriter(mail.TypeTextHTML, writes(m.HTML))
	if len(m.Calendar) > 0 && m.Digest {
		msg.AttachReadSeeker("deadlines.ics", bytes.NewReader(m.Calendar), mail.WithFileContentType("text/calendar; method=PUBLISH; charset=UTF-8"))
	} else if len(m.Calendar) > 0 {
		kind := mail.ContentType("text/calendar; method=" + m.Method)
		msg.AddAlternativeWriter(kind, writes(string(m.Calendar)), mail.WithPartEncoding(mail.EncodingB64))
		msg.AttachReadSeeker("invite.ics", bytes.NewReader(m.Calendar), mail.WithFileContentType("application/ics"))
	}
	out.Grow(headerSize + 9*(len(m.Text)+len(m.HTML))/8 + 3*len(m.Calendar)) // the calendar object is written twice, in base64
	if _, err := msg.WriteTo(out); err != nil {
		return fmt.Errorf("composing the message: %w", err)
	}
	levels := 1
	if len(m.Calendar) > 0 {
		levels++
	}
	sameBoundaries(out.Bytes(), m.ID, levels)
	return nil
}

// headerSize is more than the headers of most messages and of their parts take, in bytes.
const headerSize = 2 << 10

// pieces are what parts are copied through: those that encode take bytes, and a part is a string.
var pieces = sync.Pool{New: func() any { return new([2 << 10]byte) }}

// writes writes a part, without a copy of it.
func writes(part string) func(io.Writer) (int64, error) {
	return func(to io.Writer) (int64, error) {
		piece, _ := pieces.Get().(*[2 << 10]byte)
		defer pieces.Put(piece)
		var written int64
		for left := part; left != ""; {
			n, err := to.Write(piece[:copy(piece[:], left)])
			written += int64(n)
			if err != nil {
				return written, err
			}
			left = left[n:]
		}
		return written, nil
	}
}

func addresses(msg *mail.Msg, m Message) error {
	for _, addr := range []string{m.From.Addr, m.To} {
		if err := CheckAddress(addr); err != nil {
			return err
		}
	}
	msg.FromMailAddress(&netmail.Address{Name: m.From.Name, Address: m.From.Addr})
	msg.ToMailAddress(&netmail.Address{Address: m.To})
	if !m.ReplyTo.IsZero() {
		if err := CheckAddress(m.ReplyTo.Addr); err != nil {
			return err
		}
		msg.ReplyToMailAddress(&netmail.Address{Name: m.ReplyTo.Name, Address: m.ReplyTo.Addr})
	}
	return nil
}

func headers(msg *mail.Msg, m Message) {
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.ID)
	msg.SetDateWithValue(m.Date)
	if m.Thread != "" {
		msg.SetGenHeader(mail.HeaderReferences, "<"+m.Thread+">")
		msg.SetGenHeader(mail.HeaderInReplyTo, "<"+m.Thread+">")
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 section 5
	// Not "All": that would also ask Exchange to keep bounces to itself (MS-OXCMAIL section 2.1.3.2.20).
	msg.SetGenHeader(mail.HeaderXAutoResponseSuppress, "OOF, AutoReply")
	msg.SetGenHeader("Content-Language", m.Language)
	msg.SetGenHeader(HeaderKind, string(m.Kind))
	if m.Client != "" {
		msg.SetGenHeader(HeaderClient, m.Client)
	}
	if m.Milestone != "" {
		msg.SetGenHeader(HeaderMilestone, m.Milestone)
	}
	if m.Urgent {
		msg.SetImportance(mail.ImportanceHigh)
	}
}

// boundaryName stands where the composer says what it writes between the parts: boundaryLength digits in hexadecimal, after boundaryLine.
// boundaryKnown of them are enough to find it, and with more the search is not a fast one.
const (
	boundaryName   = "boundary="
	boundaryLine   = "\r\n--"
	boundaryLength = 60
	boundaryKnown  = 32
)

// sameBoundaries replaces the random boundaries, one for each level of parts, by ones that follow from the id of the message. They
// have the same length, so no line changes its length, and each is written over the old one.
func sameBoundaries(message []byte, id string, levels int) {
	for level := 0; level < levels; {
		at := bytes.Index(message, []byte(boundaryName))
		if at < 0 {
			return
		}
		message = message[at+len(boundaryName):]
		if random := message[:min(boundaryLength, len(message))]; len(bytes.Trim(random, "0123456789abcdef")) > 0 || len(random) < boundaryLength {
			continue
		}
		line := append([]byte(boundaryLine), message[:boundaryKnown]...)
		sum := sha256.Sum256([]byte(id + "\x00" + strconv.Itoa(level)))
		copy(message, hex.EncodeToString(sum[:boundaryLength/2]))
		replace(message, line, append([]byte(boundaryLine), message[:boundaryLength]...))
		level++
	}
}

// replace writes a text over every occurrence of another, which begins so and is as long.
func replace(message, begin, fresh []byte) {
	for {
		at := bytes.Index(message, begin)
		if at < 0 {
			return
		}
		message = message[at+copy(message[at:], fresh):]
	}
}
