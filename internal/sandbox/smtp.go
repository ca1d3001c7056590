package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
)

// maxMail is the size limit of one message, in bytes.
const maxMail = 16 << 20

// session is one SMTP connection and the envelope that it is filling.
type session struct {
	mailbox *Mailbox
	text    *textproto.Conn
	greeted bool
	open    bool // MAIL has been accepted
	from    string
	to      []string
}

// Serve speaks SMTP on one connection until the peer leaves or is cut off. It does not close the connection.
func (m *Mailbox) Serve(conn net.Conn) {
	s := &session{mailbox: m, text: textproto.NewConn(conn)}
	s.say(220, "sandbox ESMTP")
	for {
		line, err := s.text.ReadLine()
		if err != nil {
			return
		}
		verb, argument, _ := strings.Cut(line, " ")
		if !s.do(strings.ToUpper(verb), strings.TrimSpace(argument)) {
			return
		}
	}
}

// do answers one command. It returns false when the connection ends.
func (s *session) do(verb, argument string) bool {
	switch verb {
	case "EHLO":
		s.reset()
		s.greeted = true
		return s.text.PrintfLine("250-sandbox\r\n250-8BITMIME\r\n250-SIZE %d\r\n250 ENHANCEDSTATUSCODES", maxMail) == nil
	case "HELO":
		s.reset()
		s.greeted = true
		return s.say(250, "sandbox")
	case "MAIL":
		return s.mail(argument)
	case "RCPT":
		return s.rcpt(argument)
	case "DATA":
		return s.data()
	case "RSET":
		s.reset()
		return s.say(250, "2.0.0 forgotten")
	case "NOOP":
		return s.say(250, "2.0.0 nothing done")
	case "VRFY":
		return s.say(252, "2.5.0 send it and see")
	case "QUIT":
		s.say(221, "2.0.0 bye")
		return false
	}
	return s.say(500, "5.5.2 command unknown")
}

func (s *session) mail(argument string) bool {
	address, ok := path(argument, "FROM:")
	switch {
	case !s.greeted:
		return s.say(503, "5.5.1 say EHLO first")
	case s.open:
		return s.say(503, "5.5.1 nested MAIL")
	case !ok:
		return s.say(501, "5.5.4 MAIL FROM:<address>")
	}
	s.open, s.from = true, address
	return s.say(250, "2.1.0 sender taken")
}

func (s *session) rcpt(argument string) bool {
	address, ok := path(argument, "TO:")
	switch {
	case !s.open:
		return s.say(503, "5.5.1 MAIL first")
	case !ok || address == "":
		return s.say(501, "5.5.4 RCPT TO:<address>")
	}
	s.to = append(s.to, address)
	return s.say(250, "2.1.5 recipient taken")
}

func (s *session) data() bool {
	if len(s.to) == 0 {
		return s.say(503, "5.5.1 RCPT first")
	}
	if !s.say(354, "end with a dot") {
		return false
	}
	data, err := readMail(s.text.R)
	if err != nil {
		return false
	}
	message := Message{From: s.from, To: s.to, Data: data}
	s.reset()
	if len(data) > maxMail {
		return s.say(552, "5.3.4 too large")
	}
	if s.mailbox.keep(message) != nil {
		return s.say(451, "4.3.0 cannot be kept")
	}
	return s.say(250, "2.0.0 kept")
}

// readMail reads up to the lone dot and undoes the stuffing of dots (RFC 5321 section 4.5.2). Line ends stay as they
// came, so that signatures over the message stay valid. What is above the limit is read and dropped.
func readMail(r *bufio.Reader) ([]byte, error) {
	var data []byte
	start := true // of a line
	for {
		line, err := r.ReadSlice('\n')
		full := err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, fmt.Errorf("reading a message: %w", noEOF(err))
		}
		if full && start && (string(line) == ".\r\n" || string(line) == ".\n") {
			return data, nil
		}
		if start && line[0] == '.' {
			line = line[1:]
		}
		if len(data) <= maxMail {
			data = append(data, line...)
		}
		start = full
	}
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// path takes the address out of "FROM:<address> BODY=8BITMIME".
func path(argument, prefix string) (address string, ok bool) {
	if len(argument) < len(prefix) || !strings.EqualFold(argument[:len(prefix)], prefix) {
		return "", false
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(argument[len(prefix):]), "<")
	if !ok {
		return "", false
	}
	address, _, ok = strings.Cut(rest, ">")
	return address, ok
}

func (s *session) reset() { s.open, s.from, s.to = false, "", nil }

func (s *session) say(code int, text string) bool {
	return s.text.PrintfLine("%d %s", code, text) == nil
}
