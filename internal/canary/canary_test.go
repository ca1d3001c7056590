package canary_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rotad/rotad/internal/canary"
)

// awkward is a value that every encoder has to change, and too long for one line of a mail.
func awkward() string {
	return rand.Text()[:4] + "<b>&c+d/e=f~g\"h\\i;j%k?" + strings.Repeat(rand.Text()+"=+/ü", 4)
}

var smallEscapes = regexp.MustCompile("%..")

// leak is one way in which a program may give a value away, as its own libraries write it.
type leak struct {
	name  string
	write func(t *testing.T, value string) []byte
}

func leaks() []leak {
	plain := func(write func(string) string) func(*testing.T, string) []byte {
		return func(_ *testing.T, v string) []byte { return []byte(write(v)) }
	}
	return []leak{
		{"raw", plain(func(v string) string { return v })},
		{"base64", plain(func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) })},
		{"base64 without padding", plain(func(v string) string { return base64.RawStdEncoding.EncodeToString([]byte(v)) })},
		{"base64 for URLs", plain(func(v string) string { return base64.URLEncoding.EncodeToString([]byte(v)) })},
		{"base64 for URLs without padding", plain(func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte(v)) })},
		{"base64 behind one byte", plain(func(v string) string { return base64.StdEncoding.EncodeToString([]byte("x" + v + "yz")) })},
		{"base64 behind two bytes", plain(func(v string) string { return base64.URLEncoding.EncodeToString([]byte("xy" + v + "z")) })},
		{"base64 of a mail's part", plain(func(v string) string { return mimeLines(base64.StdEncoding.EncodeToString([]byte("Hello " + v))) })},
		{"Basic authentication", basicAuthentication},
		{"hex", plain(func(v string) string { return hex.EncodeToString([]byte(v)) })},
		{"hex in capitals", plain(func(v string) string { return fmt.Sprintf("%X", v) })},
		{"a form", plain(func(v string) string { return url.Values{"client_secret": {v}}.Encode() })},
		{"a path", plain(url.PathEscape)},
		{"escapes in small letters", plain(func(v string) string { return smallEscapes.ReplaceAllStringFunc(url.QueryEscape(v), strings.ToLower) })},
		{"JSON", func(t *testing.T, v string) []byte { return encodeJSON(t, v, true) }},
		{"JSON without HTML escapes", func(t *testing.T, v string) []byte { return encodeJSON(t, v, false) }},
		{"%q", plain(func(v string) string { return fmt.Sprintf("%q", v) })},
		{"quoted-printable", quotedPrintable},
		{"a folded calendar line", plain(fold)},
		{"HTML", htmlPage},
		{"reversed", plain(reversed)},
		{"UTF-16, little end first", func(_ *testing.T, v string) []byte { return inUTF16(v, false) }},
		{"UTF-16, big end first", func(_ *testing.T, v string) []byte { return inUTF16(v, true) }},
		{"%v of bytes", plain(func(v string) string { return fmt.Sprintf("%d", []byte(v)) })},
		{"gzip", func(t *testing.T, v string) []byte { return packed(t, "something "+v) }},
		{"cut off", plain(func(v string) string { return v[:18] + "..." })},
	}
}

// Every shape is found, at its file and offset, and named by its number alone.
func TestEveryEncodingOfALeakIsFound(t *testing.T) {
	for _, value := range []string{awkward(), rand.Text() + rand.Text(), "-----BEGIN KEY-----\n" + rand.Text() + "\n" + rand.Text() + "\n-----END KEY-----\n"} {
		for _, l := range leaks() {
			t.Run(l.name, func(t *testing.T) { checkFound(t, l.write(t, value), value) })
		}
	}
}

func checkFound(t *testing.T, leaked []byte, value string) {
	t.Helper()
	before := strings.Repeat("time=2026-01-01 level=DEBUG msg=\"an effect ended\"\n", 50)
	dir := t.TempDir()
	file := filepath.Join(dir, "rotad.log")
	write(t, file, slices.Concat([]byte(before), leaked, []byte("\nmore\n")))
	l := &canary.Ledger{}
	for range 20 {
		note(t, l, rand.Text())
	}
	number := note(t, l, value)
	r, err := search(t, l, dir)
	if err != nil || len(r.Hits) == 0 {
		t.Fatalf("%d hits, %v", len(r.Hits), err)
	}
	hit := r.Hits[0]
	end := int64(len(before) + len(leaked))
	where := hit.Offset >= int64(len(before)) && hit.Offset < end && hit.File == file
	if unpacked := strings.HasPrefix(hit.File, file+", unpacked"); hit.Secret != number || !where && !unpacked {
		t.Errorf("%s", hit)
	}
	if text := fmt.Sprintf("%s %+v", hit, r); strings.Contains(text, value) || strings.Contains(text, value[:canary.MinLength]) {
		t.Error("the report prints the secret")
	}
}

func TestOtherValuesAreNoLeak(t *testing.T) {
	l, dir := &canary.Ledger{}, t.TempDir()
	note(t, l, awkward())
	value := "the-common-beginning-" + rand.Text()
	note(t, l, value)
	for i, other := range leaks() {
		write(t, filepath.Join(dir, fmt.Sprint(i)), other.write(t, rand.Text()+awkward()))
	}
	write(t, filepath.Join(dir, "begins alike"), []byte(value[:15]))
	if r, err := search(t, l, dir); err != nil || len(r.Hits) > 0 || r.Files != len(leaks())+1 || r.Secrets != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Values at the seams of what is read at once are found once each.
func TestSeamsHideNothing(t *testing.T) {
	l, dir := &canary.Ledger{}, t.TempDir()
	const piece = 8 << 20
	text := bytes.Repeat([]byte("0123456789abcdef\n"), 2*piece/17+100)
	places := []int{0, 100, piece - 30, piece - 1, piece, 2*piece - 13, 2 * piece, len(text) - 40}
	for _, at := range places {
		value := rand.Text() + rand.Text()[:6]
		note(t, l, value)
		if at == piece || at == 2*piece {
			at += 40
		}
		copy(text[at:], value)
	}
	write(t, filepath.Join(dir, "large"), text)
	r, err := search(t, l, dir)
	if err != nil || len(r.Hits) != len(places) || r.Bytes != int64(len(text)) {
		t.Errorf("%d hits in %d bytes, %v", len(r.Hits), r.Bytes, err)
	}
	s := canary.NewSearch(l, 0)
	if err := errors.Join(s.Learn(), s.Read("stream", bytes.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Report(); err != nil || len(r.Hits) != len(places) || r.Bytes != int64(len(text)) {
		t.Errorf("as a stream: %d hits in %d bytes, %v", len(r.Hits), r.Bytes, err)
	}
}

func TestASearchThatProvesNothingFails(t *testing.T) {
	empty, full := &canary.Ledger{}, &canary.Ledger{}
	note(t, full, rand.Text())
	dir := t.TempDir()
	if _, err := search(t, full, dir); !errors.Is(err, canary.ErrNoBytes) {
		t.Errorf("nothing to look at: %v", err)
	}
	if _, err := search(t, full, filepath.Join(dir, "missing")); err == nil {
		t.Error("a missing directory is no error")
	}
	write(t, filepath.Join(dir, "file"), []byte("text"))
	if _, err := search(t, empty, dir); !errors.Is(err, canary.ErrNoSecrets) {
		t.Errorf("nothing to look for: %v", err)
	}
	if n, err := full.Note("short", "too-short"); n != 0 || !errors.Is(err, canary.ErrShort) {
		t.Errorf("a short value: %d, %v", n, err)
	}
}

func TestALedgerGoesOnWhereItEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", canary.LedgerFile)
	values := []string{rand.Text(), awkward(), "a\nb" + rand.Text()}
	for i := range values {
		l, err := canary.OpenLedger(path)
		if err != nil {
			t.Fatal(err)
		}
		for k, value := range values[:i+1] {
			if got := note(t, l, value); got != k+1 {
				t.Errorf("number %d, want %d", got, k+1)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if l, err := canary.ReadLedger(path); err != nil || l.Len() != len(values) {
		t.Errorf("%v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	write(t, path, []byte(`{"what":"x","value":"`+values[0]))
	if _, err := canary.ReadLedger(path); err == nil || strings.Contains(err.Error(), values[0]) {
		t.Errorf("a torn ledger: %v", err)
	}
}

// A search learns while a run goes on, far beyond the room that it was made with.
func TestASearchGrows(t *testing.T) {
	l := &canary.Ledger{}
	s := canary.NewSearch(l, 1)
	var text bytes.Buffer
	for i := range 3000 {
		value := rand.Text()
		note(t, l, value)
		if i%100 == 0 {
			_, _ = fmt.Fprintf(&text, "line %d: %s\n", i, base64.StdEncoding.EncodeToString([]byte(value)))
			if err := s.Learn(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(s.Learn(), s.Read("text", &text)); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Report(); err != nil || len(r.Hits) != 30 || r.Secrets != 3000 {
		t.Errorf("%d hits, %v", len(r.Hits), err)
	}
}

func note(t *testing.T, l *canary.Ledger, value string) int {
	t.Helper()
	n, err := l.Note("a test's value", value)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func search(t *testing.T, l *canary.Ledger, dirs ...string) (canary.Report, error) {
	t.Helper()
	s := canary.NewSearch(l, l.Len())
	if err := errors.Join(s.Learn(), s.Files(dirs...)); err != nil {
		return canary.Report{}, err
	}
	return s.Report()
}

func write(t *testing.T, file string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func basicAuthentication(t *testing.T, v string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("billing-api", v)
	return []byte(fmt.Sprintf("%v", r.Header))
}

func mimeLines(text string) string {
	var lines []string
	for len(text) > 76 {
		lines, text = append(lines, text[:76]), text[76:]
	}
	return strings.Join(append(lines, text), "\r\n")
}

func encodeJSON(t *testing.T, v string, escape bool) []byte {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(escape)
	if err := e.Encode(map[string]string{"client_secret": v}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func quotedPrintable(t *testing.T, v string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := quotedprintable.NewWriter(&out)
	if _, err := w.Write([]byte(strings.Repeat("a line of a mail ", 4) + v)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// fold breaks a line as calendars do (RFC 5545 section 3.1).
func fold(v string) string {
	line := "DESCRIPTION:" + v
	var out strings.Builder
	for len(line) > 25 {
		out.WriteString(line[:25] + "\r\n ")
		line = line[25:]
	}
	return out.String() + line
}

func htmlPage(t *testing.T, v string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := template.Must(template.New("").Parse("<p>{{.}}</p>")).Execute(&out, v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func reversed(v string) string {
	raw := []byte(v)
	slices.Reverse(raw)
	return string(raw)
}

func inUTF16(v string, bigEnd bool) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(v)) {
		if bigEnd {
			out = append(out, byte(unit>>8), byte(unit))
		} else {
			out = append(out, byte(unit), byte(unit>>8))
		}
	}
	return out
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
