package kills

import (
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// chaseOne in so many lives goes after a slow point that is behind, where a client waits before it.
const chaseOne = 3

// behind says whether a slow point was hit too rarely so far: few kills leave a create without an outcome, fewer an
// orphan, and both need a long life before they are settled. All are to be there when two thirds of the kills are done.
func (c *campaign) behind(p pair) bool {
	return p.slow() && c.tally.point(p.point) < min(perPoint, perPoint*3/2*c.tally.kills/fullSize)
}

// chased are the pairs that are behind and that a client of this world has right before it.
func (c *campaign) chased(w *killed) []pair {
	return slices.DeleteFunc(pairsOf(w.kinds), func(p pair) bool { return !c.behind(p) || !w.waiting(p) })
}

// waiting says whether a client can come to a slow point without a create that has to be lost first.
func (w *killed) waiting(p pair) bool {
	return slices.ContainsFunc(w.seen.records, func(rec credential.Record) bool {
		r := rec.Rotation
		if k, _ := w.kindOf(rec.Client.ID); k.name != p.kind || r == nil {
			return false
		}
		return r.Unsettled != nil || r.Phase == credential.PhaseCompensating && strings.Contains(p.point, "compensat")
	})
}

// orphansWanted says whether the points in the compensation of an orphan are behind.
func (c *campaign) orphansWanted() bool {
	return slices.ContainsFunc(compensating(), func(point string) bool { return c.behind(pair{point: point}) })
}
