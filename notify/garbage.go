package notify

import (
	"runtime/debug"
	"runtime/metrics"
)

// While many notices are due, so much garbage, in bytes, may lie about: what a mail is made of is garbage a millisecond later, and
// looking for it more often costs a tenth of the time. It is no share of what is alive, as GOGC is: a daemon whose registered
// clients fill the memory needs no gigabytes of it. GOMEMLIMIT bounds it as always.
const (
	garbageRoom = 96 << 20
	leastAlive  = 16 << 20 // what is alive at least while many notices are sent, whatever was alive before
	usualGC     = 100      // Go's GOGC
)

// garbage is how much of it may lie about. The zero value is as much as always. One goroutine uses it.
type garbage struct {
	percent int // GOGC that was chosen; 0 = as always
	usual   int // GOGC at other times
}

// allow lets more garbage lie about, or ends that. It is asked anew for every batch, because what is alive grows with what is sent.
func (g *garbage) allow(more bool) {
	percent := 0
	if more {
		percent = gcPercent(alive())
	}
	if percent == g.percent {
		return
	}
	if g.percent == 0 {
		g.usual = debug.SetGCPercent(percent)
	}
	g.percent = percent
	if !more || g.usual < 0 || g.usual > percent { // the last two: somebody allows more at all times
		percent = g.usual
	}
	debug.SetGCPercent(percent)
}

// gcPercent is the GOGC that lets so much garbage lie about beside what is alive, in bytes. It goes in steps, because every change
// stops the program for a moment.
func gcPercent(alive uint64) int {
	const step = 50
	return max(usualGC, int(100*garbageRoom/max(alive, leastAlive))/step*step) //nolint:gosec // it is at most 600
}

// alive returns how many bytes were alive when garbage was last looked for.
func alive() uint64 {
	bytes := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(bytes)
	if bytes[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return bytes[0].Value.Uint64()
}
