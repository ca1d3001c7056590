package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	netmail "net/mail"
	"strconv"

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
	msg := mail.NewMsg(
		mail.WithNoDefaultUserAgent(), mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(mail.EncodingQP))
	if err := addresses(msg, m); err != nil {
		return nil, err
	}
	headers(msg, m)
	msg.SetBodyWriter(mail.TypeTextPlain, writes(m.Text))
	msg.AddAlternativeWriter(mail.TypeTextHTML, writes(m.HTML))
	if len(m.Calendar) > 0 && m.Digest {
		err := msg.AttachReader("deadlines.ics", bytes.NewReader(m.Calendar), mail.WithFileContentType("text/calendar; method=PUBLISH; charset=UTF-8"))
		if err != nil {
			return nil, fmt.Errorf("attaching the calendar object: %w", err)
		}
	} else if len(m.Calendar) > 0 {
		kind := mail.ContentType("text/calendar; method=" + m.Method)
		msg.AddAlternativeWriter(kind, writes(string(m.Calendar)), mail.WithPartEncoding(mail.EncodingB64))
		err := msg.AttachReader("invite.ics", bytes.NewReader(m.Calendar), mail.WithFileContentType("application/ics"))
		if err != nil {
			return nil, fmt.Errorf("attaching the calendar object: %w", err)
		}
	}
	var out bytes.Buffer
	out.Grow(headerSize + 9*(len(m.Text)+len(m.HTML))/8 + 3*len(m.Calendar)) // the calendar object is written twice, in base64
	if _, err := msg.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("composing the message: %w", err)
	}
	return sameBoundaries(out.Bytes(), m.ID), nil
}

// headerSize is more than the headers of most messages and of their parts take, in bytes.
const headerSize = 2 << 10

// writes writes a part, without a copy of it.
func writes(part string) func(io.Writer) (int64, error) {
	return func(to io.Writer) (int64, error) {
		n, err := io.WriteString(to, part)
		return int64(n), err
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

// boundaryName stands before what the composer writes between the parts: boundaryLength digits in hexadecimal.
const (
	boundaryName   = "boundary="
	boundaryLength = 60
)

// sameBoundaries replaces the random boundaries by ones that follow from the id of the message. They have the same
// length, so no line changes its length, and each is written over the old one.
func sameBoundaries(message []byte, id string) []byte {
	found := 0
	for at := bytes.Index(message, []byte(boundaryName)); at >= 0; {
		at += len(boundaryName)
		if random := message[at:min(at+boundaryLength, len(message))]; len(bytes.Trim(random, "0123456789abcdef")) == 0 && len(random) == boundaryLength {
			sum := sha256.Sum256([]byte(id + "\x00" + strconv.Itoa(found)))
			replace(message, bytes.Clone(random), hex.EncodeToString(sum[:boundaryLength/2]))
			found++
		}
		next := bytes.Index(message[at:], []byte(boundaryName))
		if next < 0 {
			break
		}
		at += next
	}
	return message
}

// replace writes a text over every occurrence of another that is as long.
func replace(message, old []byte, fresh string) {
	for {
		at := bytes.Index(message, old)
		if at < 0 {
			return
		}
		message = message[at+copy(message[at:], fresh):]
	}
}
