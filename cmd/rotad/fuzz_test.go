package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzMoment reads what a person writes for a moment (--until, --expires): a moment that any record can hold, or an error
// that says what was written.
func FuzzMoment(f *testing.F) {
	for _, text := range []string{
		"3d", "P1W", "2026-05-01", "2026-05-01T15:00:00+02:00", "2026-02-30", "9999-12-31T23:59:59Z", "0000-01-01", "99999999999d", "-1h",
		"2026-05-01T15:00:00+99:99", "now", "",
	} {
		f.Add(text)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseMoment(text, now)
		if err != nil {
			if err.Error() == "" || !at.IsZero() {
				t.Errorf("%v with error %v", at, err)
			}
			return
		}
		if at.Location() != time.UTC || at.Nanosecond() != 0 && !strings.Contains(text, ".") && !strings.Contains(text, ",") {
			t.Errorf("%q is %v", text, at)
		}
		if _, err := at.MarshalJSON(); err != nil {
			t.Errorf("%q is a moment that no record can hold: %v", text, err)
		}
	})
}

// FuzzSubmitted reads a value from stdin: it arrives as it was given, without its last line end, or it is refused with words
// that do not repeat it.
func FuzzSubmitted(f *testing.F) {
	for _, value := range []string{"s3cret\n", "s3cret", "a\r\n", "two\nlines\n", "\n", "", "\xff\xfe", "a\x00b", "ünïcödé", " x \r", "\ufffd", strings.Repeat("x", 1<<16)} {
		f.Add([]byte(value))
	}
	f.Fuzz(func(t *testing.T, given []byte) {
		a := &app{in: bytes.NewReader(given), out: &bytes.Buffer{}, err: &bytes.Buffer{}}
		value, err := a.secret(t.Context(), "billing")
		if err != nil {
			var said *failure
			if !errors.As(err, &said) || said.hint == "" {
				t.Errorf("got %v", err)
			}
			if len(given) > 16 && strings.Contains(err.Error()+said.hint, string(given)) {
				t.Error("the error repeats the value")
			}
			return
		}
		got := value.Reveal()
		if rest, ok := strings.CutPrefix(string(given), got); !ok || rest != "" && rest != "\n" && rest != "\r\n" && rest != "\r" {
			t.Errorf("%d bytes were given, %d were taken", len(given), len(got))
		}
		if got == "" || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\x00") {
			t.Error("a value was taken that Vault would not keep")
		}
	})
}
