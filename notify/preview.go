package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Preview writes the samples into a directory, which it makes: name.eml, name.html, name.txt (with the subject on top),
// name.ics where there is a calendar event, name.webhook.json and name.slack.json. Without kinds it writes all; a kind takes its variants along. It
// returns the files' paths. An unknown kind is an error that names the known ones. own are templates of one's own, nil = none;
// language is the tag of a language, empty = English.
func Preview(dir string, own fs.FS, language string, kinds ...string) ([]string, error) {
	samples, err := choose(own, language, kinds)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // made-up facts, meant to be looked at
		return nil, fmt.Errorf("making the directory for the previews: %w", err)
	}
	var written []string
	for _, s := range samples {
		files, err := s.files()
		if err != nil {
			return written, err
		}
		for _, file := range files {
			path := filepath.Join(dir, s.Name+file.ending)
			if err := os.WriteFile(path, file.content, 0o644); err != nil { //nolint:gosec // as above
				return written, fmt.Errorf("writing a preview: %w", err)
			}
			written = append(written, path)
		}
	}
	return written, nil
}

func choose(own fs.FS, language string, kinds []string) ([]Sample, error) {
	all, err := Samples(own, language)
	if err != nil || len(kinds) == 0 {
		return all, err
	}
	var known, unknown []string
	var chosen []Sample
	for _, s := range all {
		known = append(known, s.Name)
		if slices.Contains(kinds, s.Name) || slices.Contains(kinds, string(s.Notice.Kind)) {
			chosen = append(chosen, s)
		}
	}
	for _, kind := range kinds {
		if !slices.ContainsFunc(all, func(s Sample) bool { return s.Name == kind || string(s.Notice.Kind) == kind }) {
			unknown = append(unknown, kind)
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("there is no mail called %s; there are %s",
			strings.Join(unknown, ", "), strings.Join(known, ", "))
	}
	return chosen, nil
}

type previewFile struct {
	ending  string
	content []byte
}

func (s Sample) files() ([]previewFile, error) {
	event, err := indented(Event(s.Posted))
	if err != nil {
		return nil, err
	}
	card, err := indented(SlackMessage(s.Posted))
	if err != nil {
		return nil, err
	}
	files := []previewFile{
		{".eml", s.Mail},
		{".html", []byte(s.Message.HTML)},
		{".txt", []byte("Subject: " + s.Message.Subject + "\n\n" + s.Message.Text)},
		{".webhook.json", event},
		{".slack.json", card},
	}
	if len(s.Message.Calendar) > 0 {
		files = append(files, previewFile{".ics", s.Message.Calendar})
	}
	return files, nil
}

// indented writes JSON for people to read.
func indented(body []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		return nil, fmt.Errorf("indenting a preview: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// SendTest sends a test message, which says that there is nothing to do, over a channel.
func SendTest(ctx context.Context, c Channel, r *Renderer, to Recipient, now time.Time) (Receipt, error) {
	if to.byMail() {
		if err := CheckAddress(to.To); err != nil {
			return Receipt{}, err
		}
	}
	m, _, err := r.Render(testNotice(now), to, now)
	if err != nil {
		return Receipt{}, err
	}
	return c.Send(ctx, m)
}
