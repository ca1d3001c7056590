package mailkills

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// plan says where a life ends.
type plan struct {
	point string        // armed; empty = the driver kills
	mails int           // the driver kills when so many were taken in this life
	after time.Duration // and so long after that
}

// The places around which a message is begun, handed over and written down.
var places = []string{"notice/before", "notice/begun", "notice/begun+", "notice/sent", "notice/sent+", "disk/before", "disk/after"}

// atRandom names the kills of the driver.
const atRandom = "random"

// next chooses where the next life ends: at each place as often, and a quarter of all lives by the driver.
func (c *campaign) next() plan {
	pause := time.Duration(c.dice.IntN(4000)) * time.Microsecond // a dialogue, or a commit, takes less
	if c.dice.IntN(4) == 0 {
		return plan{mails: c.dice.IntN(20), after: pause}
	}
	place := places[c.dice.IntN(len(places))]
	point := fmt.Sprintf("%s#%d", strings.TrimSuffix(place, "+"), 1+c.dice.IntN(12))
	switch {
	case strings.HasSuffix(place, "+"):
		point += "+" + pause.String()
	case strings.HasPrefix(place, "disk/"):
		point += "~" + started.String()
	}
	return plan{point: point}
}

// started is how long what a daemon writes at its start may take; what it writes then is about mails.
const started = 100 * time.Millisecond

// lifeLimit is how long a life may last that does not come to its point.
const lifeLimit = 10 * time.Second

// die is one life of the daemon.
func (c *campaign) die(p plan) {
	c.T.Helper()
	before, log := c.server.Taken(), c.Path("rotad.log")
	from := sizeOf(log)
	began := time.Now()
	process := c.start(p.point)
	limit := time.NewTimer(lifeLimit)
	defer limit.Stop()
	if p.point == "" {
		c.watch(process, before+p.mails)
		servers.Pause(c.T.Context(), p.after)
		process.Kill()
	}
	select {
	case <-process.Done():
	case <-limit.C:
		process.Kill()
	}
	c.lives = append(c.lives, time.Since(began))
	if code := process.ExitCode(); code != -1 {
		c.T.Fatalf("the daemon ended by itself with code %d\n%s", code, servers.Tail(log, 15))
	}
	c.points[c.where(log, from)]++
}

// watch waits until so many mails have been taken, or the daemon has lived for long.
func (c *campaign) watch(process *servers.Process, mails int) {
	tick, limit := time.NewTicker(time.Millisecond), time.NewTimer(lifeLimit)
	defer tick.Stop()
	defer limit.Stop()
	for c.server.Taken() < mails {
		select {
		case <-tick.C:
		case <-limit.C:
			return
		case <-process.Done():
			return
		}
	}
}

// mark begins what a process says that dies at a point.
const mark = "\nfailpoint: "

// where reads in the log at which point the daemon died.
func (c *campaign) where(log string, from int64) string {
	c.T.Helper()
	f, err := os.Open(log)
	c.Must(err)
	defer func() { _ = f.Close() }()
	_, err = f.Seek(from, io.SeekStart)
	c.Must(err)
	said, err := io.ReadAll(f)
	c.Must(err)
	at := bytes.LastIndex(said, []byte(mark))
	if at < 0 {
		return atRandom
	}
	point, _, _ := strings.Cut(string(said[at+len(mark):]), " ")
	return point
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
