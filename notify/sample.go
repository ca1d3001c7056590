package notify

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

// Sample is a rendered notice with made-up facts.
type Sample struct {
	Name    string // kind, with a word for a variant: "rotated", "rotated-cutover"
	Notice  credential.Notice
	Digest  []credential.Notice // of a digest: the notices that it says; Notice is the first of them
	About   string              // the channel that takes no notices, for the word about it
	Links   bool                // the mail can be answered by links
	Message Message             // as a mailbox gets it
	Posted  Message             // as other channels get it
	Mail    []byte              // the whole message (RFC 5322)
}

const sampleUID = "7f6c2a52-0f5e-4b7e-9a39-5d9f6d2f8c11"

// Samples renders every kind of notice, and the variants that look different, with made-up facts, in a language (empty = English)
// and with templates of one's own; nil = none. It needs no configuration and always gives the same bytes.
func Samples(own fs.FS, language string) ([]Sample, error) {
	r, err := sampleRenderer(own)
	if err != nil {
		return nil, err
	}
	var out []Sample
	plain, linked := r, r.withAnswers(sampleAnswers)
	for _, s := range sampleNotices() {
		to := s.reader(language)
		if r = plain; s.Links {
			r = linked
		}
		var eventErr error
		if s.Message, eventErr, err = s.render(r, to); err != nil || eventErr != nil {
			return nil, fmt.Errorf("rendering the sample %s: %w", s.Name, firstOf(err, eventErr))
		}
		to.To, to.Channel = "", "ops"
		if s.Posted, _, err = s.render(r, to); err != nil {
			return nil, fmt.Errorf("rendering the sample %s for a channel: %w", s.Name, err)
		}
		if s.Mail, err = Compose(s.Message); err != nil {
			return nil, fmt.Errorf("composing the sample %s: %w", s.Name, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func sampleRenderer(own fs.FS) (*Renderer, error) {
	return NewRenderer(Sender{
		From:    Address{Name: "Secrets", Addr: "secrets@example.com"},
		ReplyTo: Address{Name: "Platform team", Addr: "platform@example.com"},
		Key:     []byte("sample key, never used for mail"),
		Mount:   "secret", Templates: own,
	})
}

// reader is who gets the sample as a mail.
func (s Sample) reader(language string) Recipient {
	to := Recipient{To: "payments@example.com", Zone: sampleZone(), Language: language}
	if s.Notice.Admins {
		to = Recipient{To: "security@example.com", Language: language}
	}
	if s.About != "" {
		to.About, to.Trouble = s.About, "the receiver does not want to be told any more (410)"
	}
	return to
}

// withAnswers is the same renderer for mails that can be answered.
func (r *Renderer) withAnswers(answers func(credential.Notice, string) []templates.Answer) *Renderer {
	out := *r
	out.sender.Answers = answers
	return &out
}

// sampleAnswers are links as long as real ones, which nobody has signed.
func sampleAnswers(credential.Notice, string) []templates.Answer {
	link := "https://rotad.example.com/answer/" + strings.Repeat("c2FtcGxl", 17)
	return []templates.Answer{
		{Verb: "ack", Link: link}, {Verb: "snooze", Link: link + "8"},
	}
}

func (s Sample) render(r *Renderer, to Recipient) (m Message, eventErr, err error) {
	if len(s.Digest) > 0 {
		return r.RenderDigest(s.Digest, to, sampleNow())
	}
	return r.Render(s.Notice, to, sampleNow())
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// sampleNow is a Sunday morning in winter, so that the samples have a zone that is not UTC.
func sampleNow() time.Time { return time.Date(2026, time.December, 6, 8, 0, 0, 0, time.UTC) }

func sampleZone() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		// Without zone data the samples still have to be the same everywhere.
		return time.FixedZone("CET", 3600)
	}
	return zone
}

// sampleNotices lists the samples in the order of a client's life.
func sampleNotices() []Sample {
	day := 24 * time.Hour
	now := sampleNow()
	expires := now.Add(14*day + time.Hour)
	plain := func(kind credential.NoticeKind, milestone string, edit func(*credential.Notice)) credential.Notice {
		n := credential.Notice{
			Key: "billing-api|" + string(kind) + "|" + milestone, Kind: kind, At: now, Client: "billing-api",
			Owner: "payments", Milestone: milestone,
			Facts: credential.Facts{ //nolint:gosec // ids, no credentials
				Provider: "corp-entra", Mode: credential.ModeTwoSlot, ClientRef: "11111111-1111-1111-1111-111111111111",
				VaultPath: credential.VaultPath{Mount: "secret", Path: "apps/billing/oidc"}, VaultVersion: 41,
				SecretID: "9d3c5f0e-77aa-4f2b-8a55-1b0f3d1c2e41", Expires: expires,
				Labels: map[string]string{"Environment": "production"},
			},
		}
		edit(&n)
		return n
	}
	invite := func(at time.Time, sequence int, what string) *credential.Invite {
		return &credential.Invite{UID: sampleUID, Sequence: sequence, At: at, What: what}
	}
	samples := append(sampleBefore(plain, invite), sampleAfter(plain, invite)...)
	return append(samples, sampleDigest(samples), sampleRung(samples))
}

// sampleRung is a warning that nobody has acknowledged, for who is told next.
func sampleRung(samples []Sample) Sample {
	at := slices.IndexFunc(samples, func(s Sample) bool { return s.Name == "warning-manual" })
	n := samples[at].Notice
	n.Key, n.Rung, n.Told, n.Wait = n.Key+"|rung|1", 1, sampleNow().Add(-48*time.Hour), sampleNow()
	return Sample{Name: "warning-escalated", Notice: n}
}

// sampleDigest gathers what a team of several clients may get in one morning.
func sampleDigest(samples []Sample) Sample {
	out := Sample{Name: "digest"}
	for i, name := range []string{"announce", "warning-manual", "rotated", "retired", "held", "approve"} {
		at := slices.IndexFunc(samples, func(s Sample) bool { return s.Name == name })
		n := samples[at].Notice
		n.Client = []string{"billing-api", "acme-export", "checkout", "ledger", "crm-sync", "payout"}[i]
		n.Key, n.Wait, n.Digest = n.Client+"|"+n.Key, sampleNow(), true
		if n.Calendar != nil {
			invite := *n.Calendar
			invite.UID = sampleUID[:len(sampleUID)-1] + string(rune('0'+i))
			n.Calendar = &invite
		}
		out.Digest = append(out.Digest, n)
	}
	out.Notice = out.Digest[0]
	return out
}

type (
	noticeMaker func(credential.NoticeKind, string, func(*credential.Notice)) credential.Notice
	inviteMaker func(time.Time, int, string) *credential.Invite
)

// sampleBefore are the notices before a rotation.
func sampleBefore(plain noticeMaker, invite inviteMaker) []Sample {
	day, now := 24*time.Hour, sampleNow()
	manual := func(f *credential.Facts) {
		f.Provider, f.Mode = "acme-portal", credential.ModeManual
		f.Instructions = "Sign in at the portal of ACME and open Applications, billing-api, Keys.\n" +
			"Choose \"Add key\" and copy the value at once."
	}
	return []Sample{
		{Name: "announce", Notice: plain(credential.NoticeAnnounce, "announce", func(n *credential.Notice) {
			n.Facts.NextRotate = now.Add(7*day + time.Hour)
			n.Calendar = invite(n.Facts.NextRotate, 0, "the secret is rotated")
		})},
		{Name: "announce-cutover", Notice: plain(credential.NoticeAnnounce, "announce", func(n *credential.Notice) {
			n.Facts.NextRotate, n.Facts.Mode, n.Facts.Cutover = now.Add(7*day+time.Hour), credential.ModeHardCutover, true
		})},
		{Name: "announce-value", Notice: plain(credential.NoticeAnnounce, "announce", func(n *credential.Notice) {
			n.Facts.NextRotate, n.Facts.Mode, n.Facts.Cutover = now.Add(7*day+time.Hour), credential.ModeHardCutover, true
			n.Facts.Provider, n.Facts.Effects = "salts", "Forms that are open in a browser are refused once, and have to be loaded again. Who uses the value has to be restarted to read the new one."
		})},
		{Name: "warning", Notice: plain(credential.NoticeWarning, "14d", func(n *credential.Notice) {
			n.Calendar = invite(n.Facts.Expires, 1, "the secret expires")
		})},
		{Name: "warning-answers", Links: true, Notice: plain(credential.NoticeWarning, "14d", func(*credential.Notice) {})},
		{Name: "warning-manual", Notice: plain(credential.NoticeWarning, "7d", func(n *credential.Notice) {
			manual(&n.Facts)
			n.Facts.Expires = now.Add(7*day + time.Hour)
		})},
		{Name: "warning-observed", Notice: plain(credential.NoticeWarning, "7d", func(n *credential.Notice) {
			n.Facts.Expires, n.Facts.Observed = now.Add(7*day+time.Hour), true
		})},
		{Name: "final", Notice: plain(credential.NoticeFinal, "final", func(n *credential.Notice) {
			n.Facts.Expires = now.Add(23 * time.Hour)
		})},
		{Name: "expired", Notice: plain(credential.NoticeExpired, "expired", func(n *credential.Notice) {
			n.Facts.Expires = now.Add(-10 * time.Minute)
		})},
		{Name: "approve", Notice: plain(credential.NoticeApprove, "approve", func(n *credential.Notice) {
			n.Facts.NextRotate = now.Add(-time.Hour)
			n.Calendar = invite(n.Facts.Expires, 1, "the secret expires")
		})},
		{Name: "no-expiry", Notice: plain(credential.NoticeNoExpiry, "no-expiry", func(n *credential.Notice) {
			manual(&n.Facts)
			n.Facts.Expires = time.Time{}
		})},
		{Name: "no-expiry-ends", Notice: plain(credential.NoticeWarning, "7d", func(n *credential.Notice) {
			manual(&n.Facts)
			n.Facts.Expires, n.Facts.NoExpiry = time.Time{}, sampleWord(now.Add(7*day+time.Hour))
			n.Calendar = invite(n.Facts.NoExpiry.Until, 1, "nobody stands any more for a secret that never expires")
		})},
		{Name: "no-expiry-ended", Notice: plain(credential.NoticeNoExpiry, "ended", func(n *credential.Notice) {
			manual(&n.Facts)
			n.Facts.Expires, n.Facts.NoExpiry = time.Time{}, sampleWord(now.Add(-10*time.Minute))
		})},
	}
}

// sampleWord is a person's word for a secret that never expires.
func sampleWord(until time.Time) credential.NoExpiry {
	return credential.NoExpiry{By: "anna.berg@example.com", Reason: "the scanner in hall 7 takes a new secret only at its yearly service", Until: until}
}

// sampleRotated turns a notice into one about a rotation that has been published.
func sampleRotated(n *credential.Notice) {
	day, now := 24*time.Hour, sampleNow()
	f := &n.Facts
	f.VaultVersion, f.OldVersion, f.OldSecretID = 42, 41, f.SecretID
	f.SecretID, f.Rotation = "c1e2d7aa-3b60-4c09-9d0c-6f0d2f5c9b17", sampleRotation
	f.Expires, f.OldDies = now.Add(90*day), now.Add(3*day+time.Hour)
	f.Cause = credential.Cause{Kind: credential.CauseScheduled}
}

const sampleRotation = "01JEDZ5T3V0Q8M6Y1N4K2R7WAB"

// sampleAfter are the notices of a rotation.
func sampleAfter(plain noticeMaker, invite inviteMaker) []Sample {
	day, now := 24*time.Hour, sampleNow()
	asked := credential.Cause{Kind: credential.CauseRequested, Actor: "alice (uid 1001)", Reason: "laptop was stolen"}
	samples := []Sample{
		{Name: "rotated", Notice: plain(credential.NoticeRotated, "rotated", func(n *credential.Notice) {
			sampleRotated(n)
			n.Calendar = invite(n.Facts.OldDies, 2, "the old secret stops working")
		})},
		{Name: "rotated-by-person", Notice: plain(credential.NoticeRotated, "rotated", func(n *credential.Notice) {
			sampleRotated(n)
			n.Facts.Cause = asked
		})},
		{Name: "rotated-grace", Notice: plain(credential.NoticeRotated, "rotated", func(n *credential.Notice) {
			sampleRotated(n)
			n.Facts.Provider, n.Facts.Mode, n.Facts.OldDies = "control-plane", credential.ModeGraceWindow, now.Add(7*day)
			n.Calendar = invite(n.Facts.OldDies, 2, "the old secret stops working")
		})},
		{Name: "rotated-back", Notice: plain(credential.NoticeRotated, "rotated", func(n *credential.Notice) {
			sampleRotated(n)
			n.Facts.Cause = credential.Cause{Kind: credential.CauseRolledBack, Actor: "alice (uid 1001)", Reason: "logins fail"}
		})},
		{Name: "rotated-compromised", Notice: plain(credential.NoticeRotated, "rotated", func(n *credential.Notice) {
			sampleRotated(n)
			n.Facts.Cause = credential.Cause{Kind: credential.CauseCompromised, Actor: "alice (uid 1001)", Reason: "it stood in a log"}
			n.Facts.OldDies = now
		})},
		{Name: "rotated-cutover", Notice: plain(credential.NoticeRotated, "rotated", func(n *credential.Notice) {
			sampleRotated(n)
			n.Facts.Mode, n.Facts.Cutover, n.Facts.OldDies = credential.ModeHardCutover, true, now
			n.Facts.Override = true
		})},
		{Name: "admin", Notice: plain(credential.NoticeAdmin, "rotated", func(n *credential.Notice) {
			sampleRotated(n)
			n.Admins, n.Facts.Cause = true, asked
		})},
		{Name: "retired", Notice: plain(credential.NoticeRetired, "retired", func(n *credential.Notice) {
			sampleRotated(n)
			n.Facts.Negative, n.Facts.OldDies = credential.NegativeProved, time.Time{}
			n.Calendar = invite(n.Facts.Expires, 3, "the secret expires")
		})},
		{Name: "old-remind", Notice: plain(credential.NoticeOldRemind, "old", func(n *credential.Notice) {
			sampleRotated(n)
			n.Facts.Provider, n.Facts.Mode, n.Facts.OldDies = "acme-portal", credential.ModeManual, now.Add(10*day)
			n.Facts.Instructions = "Open Applications, billing-api, Keys and delete the older key."
		})},
	}
	samples = append(append(samples, sampleUse(plain)...), sampleStopped(plain)...)
	return append(samples, sampleTrouble(plain, invite)...)
}

// sampleUse are the words about an old secret that is still in use at the end of its overlap.
func sampleUse(plain noticeMaker) []Sample {
	day, now := 24*time.Hour, sampleNow()
	late := func(n *credential.Notice) {
		sampleRotated(n)
		n.Facts.Consumers = credential.Consumers{
			Of: 5, Moved: 4, Late: []credential.ConsumerState{{Name: "billing-batch", Version: n.Facts.OldVersion, At: now.Add(-3 * time.Hour)}},
			Until: now.Add(9 * day), Then: credential.AtMaxHold,
		}
	}
	return []Sample{
		{Name: "in-use", Notice: plain(credential.NoticeInUse, "extended", late)},
		{Name: "in-use-last-call", Notice: plain(credential.NoticeInUse, milestoneLastCall, func(n *credential.Notice) {
			late(n)
			n.Facts.Consumers.Used, n.Facts.Consumers.Until, n.Facts.Consumers.Then = now.Add(-time.Hour), now.Add(day), credential.AtMaxRevoke
		})},
		{Name: "in-use-unstoppable", Notice: plain(credential.NoticeInUse, milestoneLastCall, func(n *credential.Notice) {
			late(n)
			n.Facts.OldDies, n.Facts.Consumers.Until = now.Add(day), time.Time{}
		})},
	}
}

// sampleTrouble are the notices of what may go wrong, and the last ones of a client.
func sampleTrouble(plain noticeMaker, invite inviteMaker) []Sample {
	day, now := 24*time.Hour, sampleNow()
	held := func(code credential.HoldCode, detail string, paging bool) func(*credential.Notice) {
		return func(n *credential.Notice) {
			n.Facts.Hold = &credential.Hold{
				Code: code, Since: now, Detail: detail, Deadline: now.Add(3*day + time.Hour), Paging: paging,
			}
		}
	}
	full := held(credential.HoldSlotsFull, "2 of 2 secrets are in use", false)
	return []Sample{
		{Name: "failed", Notice: plain(credential.NoticeFailed, milestoneFailing, func(n *credential.Notice) {
			n.Facts.Rotation = sampleRotation
			n.Facts.Error = "creating a secret at corp-entra: 503 Service Unavailable (request 5f0c2e)"
		})},
		{Name: "failed-unverified", Notice: plain(credential.NoticeFailed, milestoneUnverified, func(n *credential.Notice) {
			n.Facts.Rotation, n.Facts.Expires = sampleRotation, now.Add(40*time.Minute)
			n.Facts.Error = "the new secret could not be verified; it is published because the old one is about to expire"
		})},
		{Name: "failed-restored", Notice: plain(credential.NoticeFailed, milestoneRestored, func(n *credential.Notice) {
			n.Facts.Rotation = sampleRotation
			n.Facts.Error = "the cutover did not take; Vault hands out the old secret again"
		})},
		{Name: "held", Notice: plain(credential.NoticeHeld, string(credential.HoldSlotsFull), full)},
		{Name: "held-paging", Notice: plain(credential.NoticeHeld, string(credential.HoldSecretLost),
			held(credential.HoldSecretLost, "the answer to the create was lost", true))},
		{Name: "held-missing", Notice: plain(credential.NoticeHeld, string(credential.HoldClientMissing), func(n *credential.Notice) {
			n.Facts.Hold = &credential.Hold{Code: credential.HoldClientMissing, Since: now, Detail: "the provider does not know this client"}
			n.Facts.VaultVersion, n.Facts.SecretID, n.Facts.Expires = 0, "", time.Time{}
		})},
		{Name: "released", Notice: plain(credential.NoticeReleased, string(credential.HoldSlotsFull), full)},
		{Name: "drift", Notice: plain(credential.NoticeDrift, "by-hand", func(n *credential.Notice) {
			n.Facts.ByHand = credential.ByHand{Made: []string{"2d1c4f0e-5b0a-4a52-8a5e-0b7a4d3c9f11"}}
			n.Facts.Error = "somebody has made the secret 2d1c4f0e-5b0a-4a52-8a5e-0b7a4d3c9f11"
		})},
		{Name: "drift-end", Notice: plain(credential.NoticeDrift, "by-hand", func(n *credential.Notice) {
			n.Facts.ByHand = credential.ByHand{Moved: true, Was: n.Facts.Expires.Add(90 * day), Is: n.Facts.Expires}
			n.Facts.Error = "the secret that Vault hands out ends at another time now"
		})},
		{Name: "left", Notice: plain(credential.NoticeLeft, "left", func(n *credential.Notice) {
			n.Calendar = invite(n.Facts.Expires, 4, "no longer watched")
			n.Calendar.Cancel = true
		})},
		{Name: "channel", About: "audit", Notice: plain(credential.NoticeRetired, "retired", sampleRotated)},
		{Name: "test", Notice: testNotice(now)},
	}
}

// testNotice is the notice of a test mail.
func testNotice(now time.Time) credential.Notice {
	return credential.Notice{Key: "test|" + now.UTC().Format(time.RFC3339Nano), Kind: KindTest, At: now}
}
