package notify_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

func TestAWordForNoExpiryStaysTrueUntilSomebodyAnswers(t *testing.T) {
	word := credential.NoExpiry{By: "anna", Reason: "hardware", Until: noon.AddDate(0, 0, 7)}
	for name, test := range map[string]struct {
		kind   credential.NoticeKind
		change func(*credential.Record)
		want   bool
	}{
		"it ends":                {credential.NoticeWarning, nil, true},
		"it ends, acknowledged":  {credential.NoticeWarning, func(r *credential.Record) { r.Request.Acked = noon.Add(time.Minute) }, false},
		"it ends, snoozed":       {credential.NoticeWarning, func(r *credential.Record) { r.Request.Snooze = noon.Add(time.Hour) }, false},
		"it ends, warned later":  {credential.NoticeWarning, func(r *credential.Record) { r.Told.WarnedAt = noon.Add(time.Hour) }, false},
		"it ends, given anew":    {credential.NoticeWarning, func(r *credential.Record) { r.Client.NoExpiry.Until = noon.AddDate(1, 0, 0) }, false},
		"it ends, expiry known":  {credential.NoticeWarning, func(r *credential.Record) { r.Current.Expires = noon.AddDate(1, 0, 0) }, false},
		"it ends, taken back":    {credential.NoticeWarning, func(r *credential.Record) { r.Client.NoExpiry = credential.NoExpiry{} }, false},
		"it has ended":           {credential.NoticeNoExpiry, nil, true},
		"it has ended, never":    {credential.NoticeNoExpiry, func(r *credential.Record) { r.Current.Never = true }, true},
		"it has ended, acked":    {credential.NoticeNoExpiry, func(r *credential.Record) { r.Request.Acked = noon.Add(time.Minute) }, true},
		"it has ended, by bert":  {credential.NoticeNoExpiry, func(r *credential.Record) { r.Client.NoExpiry.By = "bert" }, false},
		"it has ended, then day": {credential.NoticeNoExpiry, func(r *credential.Record) { r.Client.Expires = noon.AddDate(1, 0, 0) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := credential.Notice{Kind: test.kind, At: noon, Facts: credential.Facts{NoExpiry: word}}
			r := credential.Record{Client: credential.Client{NoExpiry: word}, Told: credential.Told{WarnedAt: noon}}
			if test.change != nil {
				test.change(&r)
			}
			if ok, why := notify.StillTrue(n, r, true, noon); ok != test.want || (why == "") != ok {
				t.Errorf("got %v (%q), want %v", ok, why, test.want)
			}
		})
	}
	unsaid := credential.Notice{Kind: credential.NoticeNoExpiry, At: noon}
	answered := credential.Record{Client: credential.Client{NoExpiry: word}}
	for about, now := range map[bool]time.Time{false: noon, true: word.Until} {
		if ok, why := notify.StillTrue(unsaid, answered, true, now); ok != about {
			t.Errorf("nobody had stated an expiry, and at %v somebody answers for it: %v (%q)", now, ok, why)
		}
	}
}
