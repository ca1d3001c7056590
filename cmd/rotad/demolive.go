package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// demoLive shows a play on a terminal: the timeline scrolls, and below it a table is kept up to date.
type demoLive struct {
	*demoLines
	height int       // lines of the table as it stands there
	drawn  time.Time // when
	table  string
}

// demoRefresh is how often the table is drawn.
const demoRefresh = 100 * time.Millisecond

func (s *demoLive) event(e demoEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draw(s.line(e))
}

func (s *demoLive) pulse(p *demoPlay) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mails := s.newMails(p)
	if mails == "" && time.Since(s.drawn) < demoRefresh {
		return
	}
	s.drawn, s.table = time.Now(), s.state(p)
	s.draw(mails)
}

func (s *demoLive) end(p *demoPlay, summary demoSummary) {
	s.mu.Lock()
	s.table = s.state(p)
	s.draw(s.newMails(p))
	s.mu.Unlock()
	s.demoLines.end(p, summary)
}

// draw puts lines above the table: it takes the table away, prints them, and puts the table back.
func (s *demoLive) draw(lines string) {
	var b strings.Builder
	if s.height > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", s.height)
	}
	b.WriteString(lines + s.table)
	s.height = strings.Count(s.table, "\n")
	demoWrite(s.out, b.String())
}

// state is the table: a line about the whole, and one per client.
func (s *demoLive) state(p *demoPlay) string {
	now := p.world.clock.now()
	p.mu.Lock()
	whole := fmt.Sprintf("%s   day %d   %d logins   %d mails   %d violations", now.In(s.zone).Format("Mon 02 Jan 2006 15:04"),
		int(now.Sub(p.world.clock.origin)/demoDay), p.logins, s.mails, p.violations)
	p.mu.Unlock()
	lines := []string{s.paint(demoDim, strings.Repeat("─", min(s.width()-1, 100))), s.paint(demoBold, s.cut(whole, 0))}
	for _, rec := range p.list() {
		text := fmt.Sprintf("%-13s  %-13s  %-12s  %s", rec.Client.ID, rec.Mode(), rec.Phase(), s.outlook(p, rec))
		text = s.cut(text, 0)
		if rec.Rotation != nil {
			text = s.paint(demoCyan, text)
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n") + "\n"
}

// outlook says what comes next for a client.
func (s *demoLines) outlook(p *demoPlay, rec credential.Record) string {
	at := func(what string, t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return what + " " + t.In(s.zone).Format(demoTime)
	}
	policy := p.config.Policies[rec.Client.Policy]
	if r := rec.Rotation; r != nil {
		switch {
		case rec.Mode() == credential.ModeManual && r.Phase == credential.PhaseOverlap:
			return "until a person removes the old secret"
		case r.Phase == credential.PhaseOverlap && p.world.clock.now().After(r.RevokeAfter):
			return at("the old one is removed on", retires(rec, policy))
		case r.Phase == credential.PhaseOverlap:
			return at("old and new both work until", retires(rec, policy))
		case rec.Mode() == credential.ModeGraceWindow && r.Phase == credential.PhaseRevoking:
			return at("the provider drops the old one on", r.OldDies)
		}
		return ""
	}
	if rec.Mode() == credential.ModeManual {
		return at("a person has to act before", rotation.Ends(rec))
	}
	planned, _ := rotation.Planned(rec, policy, windowOf(policy.Window))
	return at("will be replaced on", planned)
}
