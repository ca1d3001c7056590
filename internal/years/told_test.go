package years_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/notify"
)

var update = flag.Bool("update", false, "write the golden files")

// TestAYearOfNotices lets a year pass for a few teams and writes down every mail that they get, for a person to read and agree
// with: testdata/year.txt. What reads like too much there is too much.
func TestAYearOfNotices(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var out strings.Builder
	out.WriteString("# A year of mails, as people get them. Times are UTC. \"event 3\" is the calendar event that comes along, with its number.\n")
	for _, s := range tales() {
		fmt.Fprintf(&out, "\n## %s\n\n", s.title)
		for _, line := range s.live(t) {
			out.WriteString(line + "\n")
		}
	}
	path := filepath.Join("testdata", "year.txt")
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(out.String())) {
		t.Errorf("the year is another one; read the difference, and run with -update to accept it:\n%s", differs(string(want), out.String()))
	}
}

// differs names the lines that only one of two texts has.
func differs(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for _, line := range a {
		if !slices.Contains(b, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			out = append(out, "+ "+line)
		}
	}
	return strings.Join(out[:min(len(out), 40)], "\n")
}

// tale is one team, its clients, and what befalls them.
type tale struct {
	title   string
	mode    credential.Mode
	clients int
	owner   config.Owner
	refused string                        // the address that the mail server does not know
	befalls func(context.Context, *fleet) // instead of nothing, from the beginning of the year
}

func tales() []tale {
	ladder := []config.Rung{{After: 2 * day, To: "lead"}, {After: 5 * day, To: "admins"}}
	return []tale{
		{title: "One client that rotates by itself, every 76 days. Each rotation is announced once and confirmed once, and moves the one event.", mode: credential.ModeTwoSlot, clients: 1},
		{
			title: "The same for a team with one calendar for all its clients: the events stand there, and no mail brings any.",
			mode:  credential.ModeTwoSlot, clients: 1, owner: config.Owner{Calendar: "feed"},
		},
		{title: "One client whose secret a person makes in a portal, a few days after the first reminders.", mode: credential.ModeManual, clients: 1},
		{
			title: "A team of 500 clients with a digest every Monday: one mail where something happens, and one between where the old secrets stop before Monday.",
			mode:  credential.ModeTwoSlot, clients: 500, owner: config.Owner{Digest: "weekly on MON at 09:00"},
		},
		{
			title: "A client whose provider is away for 13 days, from the planned rotation until two days before the expiry. Nobody of the team answers.",
			mode:  credential.ModeTwoSlot, clients: 1, owner: config.Owner{Escalate: ladder}, befalls: away,
		},
		{
			title: "The same with quiet nights, and somebody of the team who answers after a day; the reminders of the last week are another matter.",
			mode:  credential.ModeTwoSlot, clients: 1, befalls: answered,
			owner: config.Owner{Escalate: ladder, Quiet: &config.Quiet{From: "19:00", To: "07:00", Days: "*"}},
		},
		{
			title: "An owner whose address the mail server does not know: the next gets what calls for somebody, and the admins the rest.",
			mode:  credential.ModeManual, clients: 1, owner: config.Owner{Escalate: ladder}, refused: "team@example.com",
		},
	}
}

// planned is when the first rotation of a client of a tale is due.
const planned = 76 * day

func away(ctx context.Context, f *fleet) {
	f.days(ctx, f.begin().Add(planned-day))
	f.pass(ctx, f.tenants["corp"].away, 13*day)
}

func answered(ctx context.Context, f *fleet) {
	f.days(ctx, f.begin().Add(planned-day))
	o := f.tenants["corp"].away
	o.begin()
	f.days(ctx, f.begin().Add(planned+6*time.Hour))
	f.wish(ctx, f.order[0], rotation.Ack)
	f.days(ctx, f.begin().Add(planned+12*day))
	o.end()
}

// live lets the year pass.
func (s tale) live(t *testing.T) (lines []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := plan{seed: 3, years: 1, origin: time.Date(2027, 1, 4, 8, 0, 0, 0, time.UTC), scan: s.scan(), only: nothing}
		f := newFleet(t, p, sound)
		f.policies = []rule{taleRule()}
		for i := range s.clients {
			f.settleIn(s.member(i))
		}
		f.owners = s.people()
		f.mail.refuses = s.refused
		f.mail.took = func(m notify.Message) { lines = append(lines, said(f.clocks.truth(), m)) }
		if err := f.year(t.Context(), s); err != nil {
			t.Error(err)
		}
		for _, broken := range f.judge.broken {
			t.Error(broken)
		}
	})
	slices.SortStableFunc(lines, func(a, b string) int {
		return cmp.Compare(a[:len("2006-01-02 Mon 15:04")], b[:len("2006-01-02 Mon 15:04")])
	})
	return lines
}

// scan is how often the clients are looked at, which tells people nothing.
func (s tale) scan() string {
	if s.clients > 1 {
		return weekly
	}
	return daily
}

func (f *fleet) year(ctx context.Context, s tale) error {
	if err := f.boot(ctx); err != nil {
		return err
	}
	if err := f.register(ctx); err != nil {
		return err
	}
	if s.befalls != nil {
		s.befalls(ctx, f)
	}
	f.days(ctx, f.begin().Add(f.length()))
	return f.shut()
}

func taleRule() rule {
	return rule{opening: opening{zone: time.UTC}, Policy: credential.Policy{
		Name: "story", Start: credential.StartAuto, Lifetime: 90 * day, RotateBefore: 14 * day, Overlap: 72 * time.Hour, Announce: 7 * day,
		WarnWhen: credential.WarnUnlessAutomatic, Warn: []credential.Warning{{Before: 30 * day}, {Before: 7 * day, Every: day}},
	}}
}

func (s tale) member(i int) member {
	at := slices.IndexFunc(breeds(), func(b breed) bool { return b.caps.Mode == s.mode })
	m := member{breed: breeds()[at], rule: taleRule(), life: taleRule().Lifetime}
	id := "billing"
	if s.clients > 1 {
		id = fmt.Sprintf("service-%03d", i+1)
	}
	m.Client = credential.Client{
		ID: id, Provider: m.breed.provider, Ref: credential.Ref{"client_id": id}, Owner: "team", Policy: m.rule.Name,
		Vault: credential.VaultPath{Mount: "secret", Path: "apps/" + id},
	}
	return m
}

// people are the team with what it has chosen, and its lead.
func (s tale) people() directory {
	s.owner.Timezone = "UTC"
	team := notify.Contact{Emails: []string{"team@example.com"}, Digest: s.owner.Digests(), Calendar: notify.CalendarMode(s.owner.Calendar)}
	if quiet, ok := s.owner.QuietHours(); ok {
		team.Quiet = quiet
	}
	for _, r := range s.owner.Escalate {
		team.Escalate = append(team.Escalate, notify.Rung{After: r.After, To: r.To})
	}
	return directory{"team": team, "lead": {Emails: []string{"lead@example.com"}}}
}

var sequence = regexp.MustCompile(`(?m)^SEQUENCE:(\d+)`)

// said is one line of the year.
func said(at time.Time, m notify.Message) string {
	name, _, _ := strings.Cut(m.To, "@")
	line := fmt.Sprintf("%s  %-6s  %s", at.Format("2006-01-02 Mon 15:04"), name, m.Subject)
	switch events := sequence.FindAllStringSubmatch(string(m.Calendar), -1); {
	case m.Digest:
		line += fmt.Sprintf("; %d events", len(events))
	case len(events) == 1:
		line += "; event " + events[0][1]
	}
	return line
}

var errUnknown = errors.New("there is no such mailbox")
