package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
	"github.com/rotad/rotad/state"
)

// Commit makes a change, all or nothing, if the stored record still has the revision that the change was made from. It
// returns the record with its new revision. With conflict true nothing was changed, and the record is the stored one,
// which won; or it has not changed, and a tally has that one of the strokes was decided from. A change of a record that does not exist (any more) ends with state.ErrGone, one that would give two
// clients the same ref or Vault path with a *state.Duplicate, one that cannot be stored with state.ErrInvalid; with any
// of them nothing was changed. After state.ErrFatal nothing is known, and the process has to end.
//
// A commit gives the claim of its record free unless Keep is set; who holds no claim sets Keep. A conflict or an error
// leaves the claim as it is. Once started, Commit does not return before the outcome is known, whatever ctx says.
func (s *Store) Commit(ctx context.Context, c credential.Change) (r credential.Record, conflict bool, err error) {
	p, err := prepare(&c)
	if err != nil {
		return credential.Record{}, false, about(c.Record.Client.ID, err)
	}
	var winner *credential.Record
	failpoint.Hit("commit", kindOf(&c), c.Record.Client.ID)
	err = s.write(ctx, func(t *txn) error {
		var refused error
		winner, refused = t.apply(p)
		return refused
	})
	failpoint.Hit("committed", kindOf(&c), c.Record.Client.ID)
	switch {
	case err != nil:
		return credential.Record{}, false, about(c.Record.Client.ID, err)
	case winner != nil:
		return *winner, true, nil
	default:
		c.Record.Rev++
		return c.Record, false, nil
	}
}

// kindOf names the sort of a change for the points where a test kills the process.
func kindOf(c *credential.Change) string {
	switch {
	case c.Create:
		return "register"
	case c.Archive:
		return "archive"
	default:
		return string(c.Record.Phase())
	}
}

// prepared is a change with everything encoded that can be before its transaction. It does not hold the change itself,
// which is large: an import has ten thousands of them waiting.
type prepared struct {
	id        string
	provider  string
	due       time.Time
	rev       uint64 // that the change was made from
	create    bool
	archive   bool
	keep      bool
	rename    string
	watermark time.Time
	record    []byte // as it will stand
	facets    facets
	notices   []preparedNotice
	audit     [][]byte
	strokes   []credential.Stroke
}

// from returns the id under which the record stands before the change.
func (p *prepared) from() string {
	if p.rename != "" {
		return p.rename
	}
	return p.id
}

type preparedNotice struct {
	credential.Notice
	row []byte
}

func prepare(c *credential.Change) (*prepared, error) {
	if err := state.Validate(c); err != nil {
		return nil, err
	}
	p := &prepared{
		id: c.Record.Client.ID, provider: c.Record.Client.Provider, due: c.Record.Due, rev: c.Record.Rev,
		create: c.Create, archive: c.Archive, keep: c.Keep, rename: c.Rename, watermark: c.Watermark,
		strokes: c.Strokes,
	}
	if !c.Archive {
		p.facets = facetsOf(&c.Record)
	}
	next := c.Record
	next.Rev++
	var err error
	if p.record, err = state.Encode(&next); err != nil {
		return nil, err
	}
	for _, n := range c.Notices {
		n = state.NewNotice(n)
		row, err := state.Encode(&n)
		if err != nil {
			return nil, err
		}
		p.notices = append(p.notices, preparedNotice{n, row})
	}
	for _, a := range c.Audit {
		a.Seq = 0 // it is the key
		row, err := state.Encode(&a)
		if err != nil {
			return nil, err
		}
		p.audit = append(p.audit, row)
	}
	return p, nil
}

// apply makes all checks of a change and then all of its writes. It returns the winner of a conflict.
func (t *txn) apply(p *prepared) (winner *credential.Record, err error) {
	from := p.from()
	old, err := t.record(bktRecord, from)
	if err != nil {
		return nil, err
	}
	switch {
	case old != nil && (p.create || old.Rev != p.rev):
		return &old.Record, nil
	case old == nil && !p.create:
		return nil, state.ErrGone
	}
	was, link := facets{}, uint64(0)
	if old != nil {
		was, link = facetsOf(&old.Record), old.link
	} else if link, err = t.formerLink(from); err != nil {
		return nil, err
	}
	if err := t.checkUnique(p, was, from); err != nil {
		return nil, err
	}
	if current, err := t.putStrokes(p.strokes); err != nil || !current {
		return winnerOf(old, err)
	}
	t.write(p, was, from, link)
	return nil, nil
}

// winnerOf is what a change has lost to that was decided from an outdated tally.
func winnerOf(old *stored, err error) (*credential.Record, error) {
	switch {
	case err != nil:
		return nil, err
	case old == nil:
		return nil, state.ErrConflict
	}
	return &old.Record, nil
}

// write makes all writes of a change whose checks have been made.
func (t *txn) write(p *prepared, was facets, from string, link uint64) {
	t.writeRecord(p, was, from, link)
	t.addNotices(p)
	if !p.watermark.IsZero() {
		mark := p.watermark.UTC()
		t.put(bktMeta, metaWatermark, []byte(timeKey(mark)))
		t.onCommit(func() { t.store.meta.Watermark = mark })
	}
	t.onCommit(func() { t.store.settleClaim(p) })
}

// checkUnique refuses a second client with the same id, ref or Vault path.
func (t *txn) checkUnique(p *prepared, was facets, from string) error {
	if id := p.id; id != from && t.raw(bktRecord, id) != nil {
		return &state.Duplicate{Index: state.IndexID, ID: id}
	}
	for _, index := range []struct{ name, key, was string }{
		{state.IndexRef, p.facets.ref, was.ref}, {state.IndexVault, p.facets.vault, was.vault},
	} {
		if index.key == "" || index.key == index.was {
			continue
		}
		owner, taken, err := t.get(bktUnique, index.key)
		if err != nil {
			return err
		}
		if taken && string(owner) != from {
			return &state.Duplicate{Index: index.name, ID: string(owner)}
		}
	}
	return nil
}

// writeRecord moves the record, its index entries, counters and audit entries from what was to what will be.
func (t *txn) writeRecord(p *prepared, was facets, from string, link uint64) {
	id, will := p.id, p.facets
	for _, row := range p.audit {
		link = t.appendAudit(link, row)
	}
	if p.archive {
		t.drop(bktRecord, from)
		t.put(bktArchive, id, number(link), p.record)
	} else {
		if from != id {
			t.drop(bktRecord, from)
		}
		t.put(bktRecord, id, number(link), p.record)
	}
	t.move(bktDue, was.due, will.due)
	t.move(bktExpiry, was.expiry, will.expiry)
	t.move(bktActive, was.active, will.active)
	t.moveUnique(was.ref, will.ref, from, id)
	t.moveUnique(was.vault, will.vault, from, id)
	for _, name := range was.counts {
		t.count(name, -1)
	}
	for _, name := range will.counts {
		t.count(name, 1)
	}
	if was.due != will.due {
		t.touch(was.provider)
		t.touch(will.provider)
	}
}

// moveUnique moves an entry of a unique index; a renamed record keeps its key with another value.
func (t *txn) moveUnique(was, will, from, id string) {
	if was == will && from == id {
		return
	}
	if was != "" {
		t.drop(bktUnique, was)
	}
	if will != "" {
		t.put(bktUnique, will, []byte(id))
	}
}

// stored is a record with what its value says besides.
type stored struct {
	credential.Record
	link uint64 // number of the client's last audit entry; 0 = none
}

var errShort = errors.New("a record without its head")

func parseRecord(payload []byte) (*stored, error) {
	if len(payload) < timeLength {
		return nil, fmt.Errorf("%w: %w", state.ErrCorrupt, errShort)
	}
	r, err := state.Decode[credential.Record](payload[timeLength:])
	if err != nil {
		return nil, err
	}
	return &stored{Record: r, link: parseSeq(payload[:timeLength])}, nil
}

// record returns a stored record, nil if there is none.
func (t *txn) record(b bucket, id string) (*stored, error) {
	payload, found, err := t.get(b, id)
	if err != nil || !found {
		return nil, err
	}
	r, err := parseRecord(payload)
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", id, err)
	}
	return r, nil
}

// formerLink lets the history of a client that comes back go on where it ended.
func (t *txn) formerLink(id string) (uint64, error) {
	former, err := t.record(bktArchive, id)
	if err != nil || former == nil {
		return 0, err
	}
	return former.link, nil
}
