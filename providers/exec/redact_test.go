package exec

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

func TestRedactTakesOutEverySpellingOfAValue(t *testing.T) {
	const value = `pa"ss+w/rd=ü&% of it`
	quoted, _ := json.Marshal(value)
	s := newSecrets([]string{value, "short", "billing"}, map[string]bool{"billing": true})
	for name, text := range map[string]string{
		"as it is": value, "a piece": value[2:14], "in JSON": string(quoted), "in a form": url.QueryEscape(value),
		"in a path": url.PathEscape(value), "in hex": hex.EncodeToString([]byte(value)),
		"in a Basic login":               base64.StdEncoding.EncodeToString([]byte("billing:" + value)),
		"one character later":            base64.StdEncoding.EncodeToString([]byte("billing1:" + value)),
		"two characters later, for URLs": base64.RawURLEncoding.EncodeToString([]byte("billing12:" + value)),
		"a short value":                  "short",
	} {
		got := s.redact("before " + text + " after")
		if !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") || !strings.Contains(got, mask) {
			t.Errorf("%s: %q", name, got)
		}
		if rest := strings.ReplaceAll(got, mask, ""); len(rest) > len("before  after")+len("YmlsbGluZzEyOn")+3 { // beside the name, and where base64 mixes the value with its neighbours
			t.Errorf("%s: too much is left: %q", name, got)
		}
	}
	for shift := range 3 { // on its own merits: redact would take this for a token anyway
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			if !s.holds(encoding.EncodeToString([]byte("xyz"[:shift] + value))) {
				t.Errorf("base64 with %d bytes before the value is not known", shift)
			}
		}
	}
	if got := s.redact("the client billing has no secret yet; basic authentication failed"); strings.Contains(got, mask) {
		t.Errorf("%q: what is no value stays", got)
	}
}

func TestRedactTakesOutWhatLooksLikeACredential(t *testing.T) {
	s := newSecrets(nil, nil)
	for _, text := range []string{
		"Authorization: Bearer abc", "token=abcd", `{"access_token": "abcd"}`, "Bearer eyJhbGciOiJub25lIn0.e30.",
		"8f14e45f-ceea-467f-a0e6-1f2b3c4d5e6f", "Basic YmlsbGluZw==", "password: hunter2",
	} {
		if got := s.redact(text); !strings.Contains(got, mask) {
			t.Errorf("%q stays", got)
		}
	}
	for _, text := range []string{
		`File "/usr/lib/python3.11/urllib/request.py", line 1351, in do_open`, "urllib.error.HTTPError: HTTP Error 500",
		"curl: (6) Could not resolve host: portal.example.com",
	} {
		if got := s.redact(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// Only the end of a long text is kept, and what was cut in two is left out.
func TestALongTextLosesTheLineThatWasCut(t *testing.T) {
	var end tail
	for range 3000 {
		_, _ = end.Write([]byte("a line of text\n"))
	}
	if len(end.kept) != maxStderr || !end.cut {
		t.Errorf("%d bytes kept", len(end.kept))
	}
	p, log := scripted(t, says(seen, "stderr", "line of text {credential}\n", "repeat", "2000"), nil)
	p.settings.Settings["stdout"], p.settings.Settings["repeat"] = "", "2000"
	_, _ = p.Inspect(t.Context(), clientBy("client_id", "billing"))
	if strings.Contains(log.String(), "own-secret") || !strings.Contains(log.String(), "line of text [redacted]") ||
		!strings.Contains(log.String(), `stderr="line of text`) {
		t.Errorf("%.300s", log)
	}
}

func TestWhatAProgramSaysIsCutAndCleaned(t *testing.T) {
	long := strings.Repeat("word ", 200)
	p, _ := scripted(t, says(`{"protocol":1,"error":{"class":"quota","status":409,"code":"Too.Many2","request_id":"req-1","message":"one\ntwo \u001b[31m`+long+`"}}`), nil)
	_, err := p.Inspect(t.Context(), clientBy("client_id", "billing"))
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	if !strings.HasPrefix(text, "portal: inspect: quota (HTTP 409) Too.Many2 [request req-1]: one two [31mword") || len(text) > 400 ||
		strings.ContainsAny(text, "\n\x1b") {
		t.Errorf("%q", text)
	}
	p, _ = scripted(t, says(`{"protocol":1,"error":{"class":"quota","status":-1,"code":"{credential}","request_id":"x{credential}"}}`), nil)
	if _, err = p.Inspect(t.Context(), clientBy("client_id", "billing")); err == nil || err.Error() != "portal: inspect: quota" {
		t.Errorf("%v", err)
	}
}
