package power

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Disk is a volume that knows what of it would survive a cut of its power. It is safe for concurrent use.
type Disk struct {
	mu      sync.Mutex
	now     *Volume // what whoever runs sees
	durable *Volume // what is certain to survive
	pending []Op    // since, in their order
	files   uint64  // numbers that were given away

	log  []Op // every operation since Record; nil = none is kept
	from *Volume
	told []Told

	slow time.Duration // that a sync takes

	left int    // operations until the power goes; 0 = it does not
	cut  func() // called then, in the middle of the operation
	dark bool   // the power has gone: nothing is done any more

	capacity int64 // bytes; 0 = without a limit
	trip     trip
}

// TellPrefix begins the names that are only asked for to tell the disk something: whoever asks goes on once it is in the
// log, so that its place there is exact.
const TellPrefix = "told "

// Told is something that was told to the disk.
type Told struct {
	At   int // operations before it
	Text string
}

// Told returns what was told since Record.
func (d *Disk) Told() []Told {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.told
}

// NewDisk returns a disk that holds a volume, all of it durable.
func NewDisk(v *Volume) *Disk {
	d := &Disk{now: v.Clone(), durable: v.Clone()}
	for id := range v.files {
		d.files = max(d.files, id)
	}
	return d
}

// Record keeps every operation from now on.
func (d *Disk) Record() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.from, d.log, d.told = d.durable.Clone(), append(make([]Op, 0, 1024), d.pending...), nil
}

// Recorded returns the durable volume at Record, and every operation since.
func (d *Disk) Recorded() (from *Volume, log []Op) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.from, d.log
}

// Position returns how many operations have been recorded.
func (d *Disk) Position() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.log)
}

// SyncTakes lets every sync of a file take so long, as on a real disk.
func (d *Disk) SyncTakes(slow time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slow = slow
}

// sync is the barrier of a file: what was written before it is durable when it returns, and not earlier.
func (d *Disk) sync(id uint64) {
	d.mu.Lock()
	slow := d.slow
	d.mu.Unlock()
	time.Sleep(slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.do(Op{Kind: Sync, File: id})
}

// CutAt lets the power go when so many more operations were asked for: the last of them is not done, and cut is called,
// which has to end whoever asks before it returns.
func (d *Disk) CutAt(operations int, cut func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left, d.cut = operations, cut
}

// do makes an operation; the lock is held. Without power nothing is done.
func (d *Disk) do(op Op) {
	if d.left > 0 && !d.dark {
		if d.left--; d.left == 0 {
			d.cut()
			d.dark = true
		}
	}
	if d.dark {
		return
	}
	d.now.Apply(op)
	if d.log != nil {
		d.log = append(d.log, op)
	}
	d.durable, d.pending = settle(d.durable, d.pending, op)
}

// settle adds an operation to those that a cut may lose; a barrier makes what it covers durable.
func settle(durable *Volume, pending []Op, op Op) (*Volume, []Op) {
	if op.Kind != Sync && op.Kind != SyncDir {
		return durable, append(pending, op)
	}
	rest := pending[:0:0]
	for _, p := range pending {
		if op.covers(p) {
			durable.Apply(p)
		} else {
			rest = append(rest, p)
		}
	}
	return durable, rest
}

// covers says whether a barrier makes an operation durable.
func (op Op) covers(p Op) bool {
	switch p.Kind {
	case Write, Truncate:
		return op.Kind == Sync && op.File == p.File
	case Link, Unlink, Rename:
		return op.Kind == SyncDir
	case Sync, SyncDir:
	}
	return true
}

// Durable returns what a cut leaves of the disk at the least.
func (d *Disk) Durable() *Volume {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.durable.Clone()
}

// Now returns what the disk holds while its power is on.
func (d *Disk) Now() *Volume {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now.Clone()
}

// Cut returns what a cut leaves by chance, and how many pieces were lost of how many.
func (d *Disk) Cut(random *rand.Rand) (v *Volume, lost, of int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	pieces := Pieces(d.pending, Grain(random))
	keep := Chance(random, len(pieces))
	for _, kept := range keep {
		if !kept {
			lost++
		}
	}
	return Survive(d.durable, pieces, keep), lost, len(pieces)
}

// Grain picks one of the two grains.
func Grain(random *rand.Rand) int64 {
	if random.IntN(2) == 0 {
		return Sector
	}
	return Page
}

// Chance picks which pieces survive: few, half or most of them.
func Chance(random *rand.Rand, n int) []bool {
	odds := []float64{0, 0.1, 0.5, 0.9, 1}[random.IntN(5)]
	keep := make([]bool, n)
	for i := range keep {
		keep[i] = random.Float64() < odds
	}
	return keep
}

// Pieces splits operations into what a disk keeps or loses for itself: writes into aligned grains.
func Pieces(ops []Op, grain int64) (pieces []Op) {
	for _, op := range ops {
		if op.Kind != Write {
			pieces = append(pieces, op)
			continue
		}
		for at, data := op.At, op.Data; len(data) > 0; {
			n := min(int64(len(data)), grain-at%grain)
			pieces = append(pieces, Op{Kind: Write, File: op.File, At: at, Data: data[:n]})
			at, data = at+n, data[n:]
		}
	}
	return pieces
}

// Survive returns a volume with the pieces that were kept, in their order.
func Survive(durable *Volume, pieces []Op, keep []bool) *Volume {
	v := durable.Clone()
	for i, op := range pieces {
		if keep[i] {
			v.Apply(op)
		}
	}
	return v
}
