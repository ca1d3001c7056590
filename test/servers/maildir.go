package servers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-message/mail"

	_ "github.com/emersion/go-message/charset" // mails in other character sets than UTF-8 can be read
)

// Mail is a delivered message as an independent parser reads it.
type Mail struct {
	ID       string // Message-ID
	To       string // envelope recipient
	From     string
	Subject  string
	Text     string
	HTML     string
	Method   string // of the calendar part; empty = it has none
	Calendar *ical.Calendar
	Carried  string // the calendar part as it came
	Raw      string
}

// Event returns the only event of the mail's calendar.
func (m Mail) Event() (ical.Event, error) {
	if m.Calendar == nil {
		return ical.Event{}, fmt.Errorf("the mail %q carries no calendar", m.Subject)
	}
	events := m.Calendar.Events()
	if len(events) != 1 {
		return ical.Event{}, fmt.Errorf("the mail %q carries %d events", m.Subject, len(events))
	}
	return events[0], nil
}

// Mails reads the mails that were delivered to an address, oldest first; an empty address reads all.
func (p *Postfix) Mails(to string) ([]Mail, error) { return readMaildir(p.Maildir, to) }

func readMaildir(dir, to string) ([]Mail, error) {
	var files []string
	for _, box := range []string{"new", "cur"} {
		found, err := filepath.Glob(filepath.Join(dir, box, "*"))
		if err != nil {
			return nil, fmt.Errorf("listing the mails: %w", err)
		}
		files = append(files, found...)
	}
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	var mails []Mail
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a mail: %w", err)
		}
		m, err := ParseMail(raw)
		if err != nil {
			return nil, fmt.Errorf("parsing %s: %w", filepath.Base(file), err)
		}
		if to == "" || strings.EqualFold(m.To, to) {
			mails = append(mails, m)
		}
	}
	return mails, nil
}

// ParseMail reads one message with all its parts.
func ParseMail(raw []byte) (Mail, error) {
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, err
	}
	m := Mail{Raw: string(raw)}
	m.Subject, err = r.Header.Subject()
	if err != nil {
		return Mail{}, fmt.Errorf("reading the subject: %w", err)
	}
	m.ID, err = r.Header.MessageID()
	if err != nil {
		return Mail{}, fmt.Errorf("reading the message id: %w", err)
	}
	if from, err := r.Header.AddressList("From"); err == nil && len(from) > 0 {
		m.From = from[0].Address
	}
	m.To = recipient(r.Header)
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return Mail{}, err
		}
		if err := m.take(part); err != nil {
			return Mail{}, err
		}
	}
}

// recipient is the envelope recipient that the server noted, else the one in the header.
func recipient(h mail.Header) string {
	for _, name := range []string{"X-Original-To", "Delivered-To", "X-Rcpt-Args"} {
		if value := h.Get(name); value != "" {
			return strings.Trim(strings.Fields(value)[0], "<>")
		}
	}
	if to, err := h.AddressList("To"); err == nil && len(to) > 0 {
		return to[0].Address
	}
	return ""
}

func (m *Mail) take(part *mail.Part) error {
	body, err := io.ReadAll(part.Body)
	if err != nil {
		return fmt.Errorf("reading a part: %w", err)
	}
	media, params := contentType(part.Header)
	switch media {
	case "text/plain":
		m.Text += string(body)
	case "text/html":
		m.HTML += string(body)
	case "text/calendar":
		m.Carried = string(body)
		m.Calendar, err = ical.NewDecoder(bytes.NewReader(body)).Decode()
		if err != nil {
			return fmt.Errorf("reading the calendar: %w", err)
		}
		if params["method"] != "" || m.Method == "" {
			m.Method = params["method"]
		}
	}
	return nil
}

func contentType(h mail.PartHeader) (string, map[string]string) {
	switch h := h.(type) {
	case *mail.InlineHeader:
		media, params, _ := h.ContentType()
		return media, params
	case *mail.AttachmentHeader:
		media, params, _ := h.ContentType()
		return media, params
	}
	return "", nil
}
