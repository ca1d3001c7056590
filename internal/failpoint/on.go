//go:build failpoints

package failpoint

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// armed is read once, at the first point that is reached. It is the one state of its kind in the program, and no
// program that people run has it: a point must be reachable from everywhere without being handed down.
var armed = sync.OnceValue(func() []*armedTrigger {
	triggers, err := parse(os.Getenv(Variable))
	if err != nil {
		fmt.Fprintln(os.Stderr, "failpoint:", err)
		os.Exit(2) //nolint:forbidigo // whoever armed it in vain has to see that
	}
	list, now := make([]*armedTrigger, len(triggers)), time.Now() //nolint:forbidigo // a process dies in real time
	for i, t := range triggers {
		list[i] = &armedTrigger{trigger: t, from: now.Add(t.age)}
	}
	return list
})

// armedTrigger counts how often its point was reached.
type armedTrigger struct {
	trigger
	from time.Time // nothing counts before
	hits atomic.Int64
}

// Hit ends the process with SIGKILL where $ROTAD_FAILPOINTS says so. What was written before stands in the page cache,
// and nothing that is deferred runs: just as if the machine's administrator had killed it.
func Hit(point, part, client string) {
	for _, t := range armed() {
		if !t.fits(point, part, client) || time.Now().Before(t.from) || t.hits.Add(1) != t.nth { //nolint:forbidigo // the same
			continue
		}
		if t.delay == 0 {
			die(point, part, client, "")
		}
		go func() {
			time.Sleep(t.delay) //nolint:forbidigo // the same
			die(point, part, client, "+")
		}()
	}
}

// die tells where on stderr, in one write, and does not come back.
func die(point, part, client, after string) {
	_, _ = syscall.Write(2, []byte("\n"+Mark+point+"/"+part+after+" "+client+"\n"))
	_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	select {}
}
