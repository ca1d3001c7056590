package notify_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

func TestStillTrue(t *testing.T) {
	expires := noon.AddDate(0, 0, 7)
	type world struct {
		kind   credential.NoticeKind
		notice func(*credential.Notice)
		record func(*credential.Record)
		now    time.Time
		gone   bool
	}
	tests := map[string]struct {
		world
		want bool
	}{
		"a warning about the present secret":       {world{kind: credential.NoticeWarning}, true},
		"a warning after a rotation":               {world{kind: credential.NoticeWarning, record: func(r *credential.Record) { r.Current.ID = "new" }}, false},
		"a warning after its expiry was moved":     {world{kind: credential.NoticeWarning, record: func(r *credential.Record) { r.Current.Expires = expires.AddDate(1, 0, 0) }}, false},
		"a warning by a stated expiry":             {world{kind: credential.NoticeWarning, record: func(r *credential.Record) { r.Current.Expires, r.Client.Expires = time.Time{}, expires }}, true},
		"a warning that a later one has overtaken": {world{kind: credential.NoticeWarning, record: func(r *credential.Record) { r.Told.WarnedAt = noon.Add(time.Hour) }}, false},
		"a warning after the final one":            {world{kind: credential.NoticeWarning, record: func(r *credential.Record) { r.Told.Final = true }}, false},
		"a warning after the expiry":               {world{kind: credential.NoticeWarning, now: expires.Add(time.Hour)}, false},
		"a warning that was acknowledged":          {world{kind: credential.NoticeWarning, record: func(r *credential.Record) { r.Request.Acked = noon.Add(time.Minute) }}, false},
		"a warning that was acknowledged before":   {world{kind: credential.NoticeWarning, record: func(r *credential.Record) { r.Request.Acked = noon.Add(-time.Minute) }}, true},
		"a warning that is snoozed":                {world{kind: credential.NoticeWarning, record: func(r *credential.Record) { r.Request.Snooze = noon.Add(time.Hour) }}, false},
		"a final warning that is snoozed":          {world{kind: credential.NoticeFinal, record: func(r *credential.Record) { r.Request.Snooze = noon.Add(time.Hour) }}, true},
		"a final warning after the expiry":         {world{kind: credential.NoticeFinal, record: func(r *credential.Record) { r.Told.Expired = true }}, false},
		"an expiry":                                {world{kind: credential.NoticeExpired, record: func(r *credential.Record) { r.Told.Expired = true }}, true},
		"an expiry after a rotation":               {world{kind: credential.NoticeExpired, record: func(r *credential.Record) { r.Current.ID = "new" }}, false},
		"a warning of a client that is gone":       {world{kind: credential.NoticeWarning, gone: true}, false},
		"a warning of a client that is leaving":    {world{kind: credential.NoticeWarning, record: func(r *credential.Record) { r.Leaving = true }}, false},
		"anything after drop_after":                {world{kind: credential.NoticeRetired, notice: func(n *credential.Notice) { n.DropAfter = noon.Add(-time.Second) }}, false},

		"an announcement":                          {world{kind: credential.NoticeAnnounce}, true},
		"an announcement after the rotation began": {world{kind: credential.NoticeAnnounce, record: func(r *credential.Record) { r.Rotation = &credential.Rotation{ID: "r1"} }}, false},
		"an announcement after its time":           {world{kind: credential.NoticeAnnounce, now: noon.Add(49 * time.Hour)}, false},
		"an announcement that is held":             {world{kind: credential.NoticeAnnounce, record: func(r *credential.Record) { r.Hold = &credential.Hold{Code: credential.HoldByPerson} }}, false},
		"an announcement under a page":             {world{kind: credential.NoticeAnnounce, record: func(r *credential.Record) { r.Hold = &credential.Hold{Paging: true} }}, true},
		"a question for approval":                  {world{kind: credential.NoticeApprove, now: noon.Add(49 * time.Hour)}, true},
		"a question that was answered":             {world{kind: credential.NoticeApprove, record: func(r *credential.Record) { r.Request.Approved = true }}, false},
		"a question after another rotation":        {world{kind: credential.NoticeApprove, record: func(r *credential.Record) { r.Last.At = noon.Add(time.Hour) }}, false},

		"a confirmation":                        {world{kind: credential.NoticeRotated}, true},
		"a confirmation that is outdated":       {world{kind: credential.NoticeRotated, record: func(r *credential.Record) { r.Version = 5 }}, false},
		"a confirmation of a client now gone":   {world{kind: credential.NoticeRotated, gone: true}, true},
		"a retirement of a client now gone":     {world{kind: credential.NoticeRetired, gone: true}, true},
		"that nothing begins at a provider":     {world{kind: credential.NoticeStopped, gone: true}, true},
		"the word to the admins":                {world{kind: credential.NoticeAdmin, gone: true}, true},
		"a removal":                             {world{kind: credential.NoticeLeft, gone: true}, true},
		"a removal while the client is leaving": {world{kind: credential.NoticeLeft, record: func(r *credential.Record) { r.Leaving = true }}, true},
		"a removal that was undone":             {world{kind: credential.NoticeLeft}, false},

		"a failure that goes on": {world{kind: credential.NoticeFailed, record: func(r *credential.Record) { r.Told.Failing = true }}, true},
		"a failure that is over": {world{kind: credential.NoticeFailed}, false},
		"a failure of a finished rotation": {world{kind: credential.NoticeFailed, record: func(r *credential.Record) {
			r.Told.Failing, r.Last = true, credential.Last{Rotation: "r1", Outcome: "done"}
		}}, false},
		"a bad end": {world{kind: credential.NoticeFailed, notice: func(n *credential.Notice) { n.Milestone = "restored" }}, true},

		"a hold":                       {world{kind: credential.NoticeHeld, record: func(r *credential.Record) { r.Hold = &credential.Hold{Code: credential.HoldSlotsFull} }}, true},
		"a hold that has ended":        {world{kind: credential.NoticeHeld}, false},
		"a hold that became another":   {world{kind: credential.NoticeHeld, record: func(r *credential.Record) { r.Hold = &credential.Hold{Code: credential.HoldByPerson} }}, false},
		"a release":                    {world{kind: credential.NoticeReleased}, true},
		"a release that was overtaken": {world{kind: credential.NoticeReleased, record: func(r *credential.Record) { r.Hold = &credential.Hold{} }}, false},

		"no expiry":               {world{kind: credential.NoticeNoExpiry, record: func(r *credential.Record) { r.Current.Expires = time.Time{} }}, true},
		"no expiry, then stated":  {world{kind: credential.NoticeNoExpiry}, false},
		"an old secret remains":   {world{kind: credential.NoticeOldRemind, record: func(r *credential.Record) { r.Rotation = &credential.Rotation{ID: "r1"} }}, true},
		"an old secret, removed":  {world{kind: credential.NoticeOldRemind, record: func(r *credential.Record) { r.Rotation = &credential.Rotation{ID: "r1", Revoked: true} }}, false},
		"an old secret, finished": {world{kind: credential.NoticeOldRemind}, false},
		"an old secret, reminded again": {world{kind: credential.NoticeOldRemind, record: func(r *credential.Record) {
			r.Rotation, r.Told.Reminded = &credential.Rotation{ID: "r1"}, noon.Add(time.Hour)
		}}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := credential.Notice{Kind: tt.kind, At: noon, Milestone: "failing", Facts: credential.Facts{
				SecretID: "old", Expires: expires, VaultVersion: 4, Rotation: "r1", NextRotate: noon.Add(48 * time.Hour),
				Hold: &credential.Hold{Code: credential.HoldSlotsFull},
			}}
			r := credential.Record{Current: credential.Secret{ID: "old", Expires: expires}, Version: 4, Told: credential.Told{WarnedAt: noon}}
			if tt.notice != nil {
				tt.notice(&n)
			}
			if tt.record != nil {
				tt.record(&r)
			}
			now := tt.now
			if now.IsZero() {
				now = noon
			}
			ok, why := notify.StillTrue(n, r, !tt.gone, now)
			if ok != tt.want || (why == "") != ok {
				t.Errorf("got %v (%q), want %v", ok, why, tt.want)
			}
		})
	}
}
