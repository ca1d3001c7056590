package power_test

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/proof"
	"github.com/rotad/rotad/test/power"
)

// report gathers the figures of all tests of a run.
type report struct {
	mu     sync.Mutex
	began  time.Time
	legal  power.Counts
	beyond power.Counts
	acks   int
	cuts   *cuts
	fulls  *fulls
}

// images adds the figures of one enumeration.
func (r *report) images(legal, beyond power.Counts, acks int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.legal.Add(legal)
	r.beyond.Add(beyond)
	r.acks += acks
}

// At full size there are so many cuts and full disks.
const (
	fullCuts  = 1000
	fullFulls = 200
)

// write hands the figures on, if the run was one at full size. ok says that every test has passed.
func (r *report) write(ok bool) error {
	if r.cuts == nil || r.fulls == nil || r.cuts.cuts < fullCuts || r.fulls.runs < fullFulls {
		return nil
	}
	seeds := os.Getenv("ROTAD_POWER_SEED")
	if seeds == "" {
		seeds = "1"
	}
	c, f := r.cuts, r.fulls
	return proof.Write("power", proof.Result{Seeds: seeds, Took: time.Since(r.began), Figures: []proof.Figure{
		{Name: "live cuts", Value: fmt.Sprint(c.cuts), Goal: fmt.Sprintf(">= %d", fullCuts), OK: c.cuts >= fullCuts},
		{Name: "live cuts with rotations under way", Value: fmt.Sprintf("%d, %.1f each", c.flying, float64(c.underway)/float64(c.cuts)), OK: ok},
		{Name: "live cuts within a commit", Value: fmt.Sprintf("%d, %d of %d pieces lost", c.within, c.lost, c.pieces), OK: ok},
		{Name: "times at rest after cuts", Value: fmt.Sprint(c.rests), OK: ok},
		{Name: "enumerated images", Value: fmt.Sprintf("%d at %d barriers", r.legal.Images, r.legal.Barriers), OK: ok},
		{Name: "images opened", Value: fmt.Sprintf("%d, and %d before there is a file", r.legal.Opened, r.legal.Absent), OK: ok},
		{Name: "images refused", Value: fmt.Sprint(r.legal.Refused), Goal: "0", OK: r.legal.Refused == 0},
		{Name: "acknowledgements looked for in every image", Value: fmt.Sprint(r.acks), OK: ok},
		{
			Name: "images of disks that lie", OK: r.beyond.Unsound == 0, Goal: "0 opened and not sound",
			Value: fmt.Sprintf("%d: %d refused, %d opened as before or after, %d sound and mixed, %d not sound", r.beyond.Images,
				r.beyond.Refused, r.beyond.Opened+r.beyond.Older, r.beyond.Mixed, r.beyond.Unsound),
		},
		{Name: "runs on a full disk", Value: fmt.Sprintf("%d, %d on a tmpfs", f.runs, f.tmpfs), Goal: fmt.Sprintf(">= %d", fullFulls), OK: f.runs >= fullFulls},
		{Name: "daemons that ended and said why", Value: fmt.Sprintf("%d, %d found room and went on", f.ended, f.wentOn), Goal: "all", OK: f.ended+f.wentOn == f.runs},
		{Name: "starts refused while the disk was full", Value: fmt.Sprint(f.refused), OK: ok},
		{Name: "longest end after a commit that failed", Value: f.slowest.Round(time.Millisecond).String(), Goal: "<= 12 s", OK: f.slowest <= 12*time.Second},
		{Name: "losses", Value: map[bool]string{true: "0", false: "see the log"}[ok], Goal: "0", OK: ok},
	}})
}
