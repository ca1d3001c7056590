package stage

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// Mail is a mail as a program for mails shows it.
type Mail struct {
	To, Subject  string
	Client, Kind string // as rotad's own header fields name them
	HTML, Text   string
	Calendar     []byte
}

var errNoBoundary = errors.New("a multipart has no boundary")

// ReadMail takes a mail apart.
func ReadMail(raw []byte) (Mail, error) {
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, fmt.Errorf("reading a mail: %w", err)
	}
	m := Mail{
		To: decoded(parsed.Header.Get("To")), Subject: decoded(parsed.Header.Get("Subject")),
		Client: parsed.Header.Get("X-Rotad-Client"), Kind: parsed.Header.Get("X-Rotad-Kind"),
	}
	if address, err := mail.ParseAddress(parsed.Header.Get("To")); err == nil {
		m.To = address.Address
	}
	return m, m.read(parsed.Header.Get("Content-Type"), parsed.Header.Get("Content-Transfer-Encoding"), parsed.Body)
}

func decoded(text string) string {
	if plain, err := new(mime.WordDecoder).DecodeHeader(text); err == nil {
		return plain
	}
	return text
}

// read takes a part, or what is in it.
func (m *Mail) read(contentType, encoding string, body io.Reader) error {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("reading the type of a part: %w", err)
	}
	if strings.HasPrefix(media, "multipart/") {
		return m.parts(params["boundary"], body)
	}
	switch strings.ToLower(encoding) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("reading a part: %w", err)
	}
	switch media {
	case "text/html":
		m.HTML = string(content)
	case "text/plain":
		m.Text = string(content)
	case "text/calendar":
		m.Calendar = content
	}
	return nil
}

func (m *Mail) parts(boundary string, body io.Reader) error {
	if boundary == "" {
		return errNoBoundary
	}
	for reader := multipart.NewReader(body, boundary); ; {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the parts: %w", err)
		}
		if err := m.read(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part); err != nil {
			return err
		}
	}
}
