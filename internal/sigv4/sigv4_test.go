package sigv4_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sigv4"
)

const example = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

func TestAFileIsReadAsAWSWritesIt(t *testing.T) {
	for name, test := range map[string]struct {
		text        string
		id, session string // empty id = refused
	}{
		"a profile":               {"[default]\naws_access_key_id = AKID\naws_secret_access_key = " + example + "\n", "AKID", ""},
		"no profile, no blanks":   {"aws_access_key_id=AKID\naws_secret_access_key=" + example, "AKID", ""},
		"a temporary key":         {"aws_access_key_id=AKID\r\naws_secret_access_key=" + example + "\r\naws_session_token=t==\r\n", "AKID", "t=="},
		"the first of two":        {"[a]\naws_access_key_id=AKID\naws_secret_access_key=" + example + "\n[b]\naws_access_key_id=OTHER", "AKID", ""},
		"the second is not taken": {"[a]\n[b]\naws_access_key_id=AKID\naws_secret_access_key=" + example, "", ""},
		"no secret":               {"aws_access_key_id=AKID", "", ""},
		"nothing":                 {"", "", ""},
	} {
		k, err := sigv4.Parse(test.text)
		if k.ID != test.id || k.Session.Reveal() != test.session || (err == nil) != (test.id != "") {
			t.Errorf("%s: %q, %v", name, k.ID, err)
		}
		if err == nil && k.Secret.Reveal() != example {
			t.Errorf("%s: another secret", name)
		}
	}
}

// Whether a signature is right is judged by the stand-in for AWS, which recomputes it. Here: everything that is sent is signed, a session
// token as well, and the secret is not part of it.
func TestWhatIsSigned(t *testing.T) {
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	k := sigv4.Key{ID: "AKIDEXAMPLE", Secret: credential.NewSensitive(example), Session: credential.NewSensitive("token")}
	h, err := sigv4.Sign(t.Context(), k, sigv4.Scope{Service: "service", Region: "us-east-1"}, at, http.MethodPost,
		"https://example.amazonaws.com/", http.Header{"Content-Type": {"application/json"}, "X-Amz-Target": {"Service.Call"}}, "{}")
	if err != nil {
		t.Fatal(err)
	}
	got := h.Get("Authorization")
	for _, part := range []string{
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ",
		"SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token;x-amz-target, ",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s, want %s", got, part)
		}
	}
	if h.Get("X-Amz-Date") != "20150830T123600Z" || h.Get("X-Amz-Security-Token") != "token" || strings.Contains(got, "wJalr") {
		t.Errorf("%v", h)
	}
}

func TestNothingIsSignedWithoutAKey(t *testing.T) {
	for name, test := range map[string]struct {
		k       sigv4.Key
		address string
	}{
		"no key": {sigv4.Key{}, "https://a/"}, "no secret": {sigv4.Key{ID: "a"}, "https://a/"},
		"no address": {sigv4.Key{ID: "a", Secret: credential.NewSensitive("b")}, "https://CANARY%zz"},
	} {
		_, err := sigv4.Sign(t.Context(), test.k, sigv4.Scope{}, time.Time{}, http.MethodPost, test.address, nil, "")
		if err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
