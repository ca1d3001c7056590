package answer_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/credential"
)

// An approval, or a rotation, must never lie behind a link: mails are forwarded.
func TestWhatAMailCanBeAnsweredWith(t *testing.T) {
	for kind, want := range map[credential.NoticeKind]string{
		credential.NoticeWarning: "ack snooze", credential.NoticeFinal: "ack", credential.NoticeExpired: "ack", credential.NoticeHeld: "ack",
		credential.NoticeFailed: "ack", credential.NoticeNoExpiry: "ack", credential.NoticeOldRemind: "ack", credential.NoticeInUse: "ack",
		credential.NoticeApprove: "", credential.NoticeAnnounce: "", credential.NoticeRotated: "", credential.NoticeRetired: "",
		credential.NoticeAdmin: "", credential.NoticeStopped: "", credential.NoticeLeft: "", credential.NoticeDrift: "", credential.NoticeReleased: "",
	} {
		n := credential.Notice{Kind: kind, Client: "billing", At: noon, Facts: credential.Facts{Expires: noon.AddDate(0, 1, 0)}}
		offers, err := answer.Offers("https://rotad.example.com/", credential.NewSensitive(key), &n, "alice@example.com")
		if err != nil {
			t.Fatal(err)
		}
		var verbs []string
		for _, o := range offers {
			verbs = append(verbs, string(o.Verb))
			if u, err := url.Parse(o.URL); err != nil || !strings.HasPrefix(o.URL, "https://rotad.example.com/answer/") || u.RawQuery != "" || len(o.URL) > 300 {
				t.Errorf("%s: %s", kind, o.URL)
			}
		}
		if got := strings.Join(verbs, " "); got != want {
			t.Errorf("%s can be answered with %q, want %q", kind, got, want)
		}
	}
}

// FuzzLink: what is read was signed, and says what was signed.
func FuzzLink(f *testing.F) {
	f.Add("billing", "alice@example.com", "ack", "warning", int64(1), int64(0), int64(2), "x")
	f.Add("", "", "snooze", "", int64(-1), int64(1<<60), int64(0), "AQ")
	f.Add("a\x00b", "ü@example.com", "rotate", "held", int64(-62135596800000000), int64(1), int64(1), "")
	f.Fuzz(func(t *testing.T, client, to, verb, kind string, noted, ends, until int64, text string) {
		secret := credential.NewSensitive(key)
		l := answer.Link{Client: client, To: to, Verb: answer.Verb(verb), Kind: credential.NoticeKind(kind), Noted: moment(noted), Ends: moment(ends), Until: moment(until)}
		signed, err := l.Sign(secret)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := answer.Read(secret, signed); err == nil && again != l {
			t.Errorf("%+v reads back as %+v", l, again)
		} else if err != nil && (verb == "ack" || verb == "snooze") && client != "" && to != "" && noted != 0 && until != 0 && len(signed) <= 4<<10 {
			t.Errorf("%+v cannot be read: %v", l, err)
		}
		if got, err := answer.Read(secret, text); err == nil {
			t.Errorf("%q was never signed, and is read as %+v", text, got)
		}
		if _, err := answer.Decode([]byte(text)); err == nil && len(text) < 5 {
			t.Errorf("%q is read", text)
		}
	})
}
