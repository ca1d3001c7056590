package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"mime/quotedprintable"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// shape is one way in which a program writes a value down.
type shape struct {
	name    string
	write   func(value string) []byte
	escapes bool // it leaves letters, digits, dashes and underscores as they are
}

// shapes are all the ways that are looked for. Most values have the same bytes in several of them, and those are looked
// for once.
func shapes() []shape {
	list := []shape{{name: "raw", write: func(v string) []byte { return []byte(v) }}}
	for at := range 3 {
		list = append(list,
			shape{name: "base64 at " + strconv.Itoa(at), write: inBase64(base64.StdEncoding, at)},
			shape{name: "base64url at " + strconv.Itoa(at), write: inBase64(base64.URLEncoding, at)})
	}
	list = append(list,
		shape{name: "hex", write: text(func(v string) string { return hex.EncodeToString([]byte(v)) })},
		shape{name: "upper-case hex", write: text(func(v string) string { return strings.ToUpper(hex.EncodeToString([]byte(v))) })},
		shape{name: "reversed", write: reversed},
		shape{name: "UTF-16LE", write: inUTF16},
		shape{name: "decimal bytes", write: text(func(v string) string { return strings.Trim(fmt.Sprintf("%d", []byte(v)), "[]") })},
	)
	return append(list, escapes()...)
}

func escapes() []shape {
	return []shape{
		{"URL query", text(url.QueryEscape), true},
		{"URL path", text(url.PathEscape), true},
		{"URL in lower case", text(func(v string) string { return lowerEscapes(url.QueryEscape(v)) }), true},
		{"JSON", func(v string) []byte { return inJSON(v, true) }, true},
		{"JSON without HTML escapes", func(v string) []byte { return inJSON(v, false) }, true},
		{"Go string", text(func(v string) string { return strings.Trim(strconv.Quote(v), `"`) }), true},
		{"quoted-printable", inQuotedPrintable, true},
		{"HTML", text(html.EscapeString), true},
		{"HTML of a template", inTemplate, true},
	}
}

func text(write func(string) string) func(string) []byte {
	return func(v string) []byte { return []byte(write(v)) }
}

// inBase64 is a value that begins so many bytes behind a multiple of three inside of a longer text: the characters that
// hold bits of its neighbours are left out.
func inBase64(encoding *base64.Encoding, at int) func(string) []byte {
	return func(v string) []byte {
		whole := encoding.WithPadding(base64.NoPadding).EncodeToString(append(make([]byte, at), v...))
		first := (at*8 + 5) / 6
		last := (at + len(v)) * 8 / 6
		return []byte(whole[first:last])
	}
}

func lowerEscapes(escaped string) string {
	out := []byte(escaped)
	for i := range len(out) - 2 {
		if out[i] == '%' {
			copy(out[i+1:], bytes.ToLower(out[i+1:i+3]))
		}
	}
	return string(out)
}

func inJSON(v string, escapeHTML bool) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(escapeHTML)
	_ = e.Encode(v) // a text has an encoding, and a buffer takes it
	return bytes.Trim(bytes.TrimSpace(out.Bytes()), `"`)
}

// inQuotedPrintable is a value as mails have it, on one line: unfold joins the lines of what is searched.
func inQuotedPrintable(v string) []byte {
	var out bytes.Buffer
	w := quotedprintable.NewWriter(&out)
	_, _ = w.Write([]byte(v)) // a buffer takes it
	_ = w.Close()
	return bytes.ReplaceAll(out.Bytes(), []byte("=\r\n"), nil)
}

// inTemplate is what html/template makes of a value in a text: it escapes the plus sign too.
func inTemplate(v string) []byte {
	return []byte(strings.ReplaceAll(template.HTMLEscapeString(v), "+", "&#43;"))
}

func reversed(v string) []byte {
	out := []byte(v)
	slices.Reverse(out)
	return out
}

func inUTF16(v string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(v)) {
		out = append(out, byte(unit), byte(unit>>8)) //nolint:gosec // the two halves of it
	}
	return bytes.TrimSuffix(out, []byte{0}) // the big-endian form holds the same bytes, but for the last
}

// longest bounds how much of a value is compared. No key or token of 2,048 bit is longer in any shape's first part.
const longest = 4096

// patterns are the bytes to look for, by the index of the shape; nil where an earlier shape has the same bytes, and where
// they are too few.
func (s *Search) patterns(value string) [][]byte {
	out := make([][]byte, len(s.shapes))
	plain := !strings.ContainsFunc(value, needsEscape)
	for i, shape := range s.shapes {
		if plain && shape.escapes {
			continue
		}
		p := shape.write(value)
		unfolded, _ := unfold(nil, p, nil)
		p = bytes.TrimRight(unfolded, "=")
		p = p[:min(len(p), longest)]
		if len(p) >= window && !slices.ContainsFunc(out[:i], func(o []byte) bool { return bytes.Equal(o, p) }) {
			out[i] = p
		}
	}
	return out
}

// needsEscape says whether some shape may write a character in another way.
func needsEscape(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}
