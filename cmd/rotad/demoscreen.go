package main

import (
	"encoding/json"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/rotad/rotad/internal/credential"
)

// demoEvent is one line of the timeline. Its JSON is a contract of the command.
type demoEvent struct {
	Event    string          `json:"event"`
	Time     time.Time       `json:"time"`
	Client   string          `json:"client,omitempty"`
	Mode     credential.Mode `json:"mode,omitempty"`
	Rotation string          `json:"rotation,omitempty"`
	Gap      int64           `json:"gap_ms,omitempty"` // of a cutover_gap: how long logins were refused, in real time
	Detail   string          `json:"detail,omitempty"` // of a violation, of something broken, and of what rotad did about it

	entry credential.Audit // where it comes from; zero = not from the audit
}

// demoSummary is the last line.
type demoSummary struct {
	Event      string    `json:"event"`
	Time       time.Time `json:"time"`
	Violations int       `json:"violations"`
	Clients    int       `json:"clients"`
	Rotations  int       `json:"rotations"`
	Logins     int       `json:"logins"`
	Refusals   int       `json:"refusals"` // permitted ones, in the gap of a cutover
	Mails      int       `json:"mails"`
	Days       int       `json:"days"`    // of demo time
	Seconds    float64   `json:"seconds"` // of real time
}

// demoScreen shows a play. It is used by several goroutines at once.
type demoScreen interface {
	begin(p *demoPlay, page, metrics string)
	event(e demoEvent)
	pulse(p *demoPlay)
	end(p *demoPlay, s demoSummary)
}

// newDemoScreen chooses how a play is shown: as JSON, on a terminal with a table below the timeline, or line by line.
func newDemoScreen(a *app) demoScreen {
	if a.json {
		return &demoJSON{out: json.NewEncoder(a.out)}
	}
	lines := &demoLines{out: a.out}
	file, ok := a.out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return lines
	}
	lines.colours = a.env["NO_COLOR"] == ""
	lines.width = func() int {
		width, _, err := term.GetSize(int(file.Fd()))
		if err != nil || width < 60 {
			return 100
		}
		return width
	}
	return &demoLive{demoLines: lines}
}

// demoJSON prints one object per line.
type demoJSON struct {
	mu  sync.Mutex
	out interface{ Encode(v any) error }
}

func (s *demoJSON) begin(*demoPlay, string, string) {}

func (s *demoJSON) pulse(*demoPlay) {}

func (s *demoJSON) event(e demoEvent) {
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	s.print(e)
}

func (s *demoJSON) end(_ *demoPlay, summary demoSummary) {
	summary.Time = summary.Time.UTC().Truncate(time.Millisecond)
	s.print(summary)
}

func (s *demoJSON) print(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.out.Encode(v) // nobody is left to be told
}

// demoWrite prints text; nobody is left to be told where that fails.
func demoWrite(out io.Writer, text string) { _, _ = io.WriteString(out, text) }
