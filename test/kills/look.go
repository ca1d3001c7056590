package kills

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/state/bolt"
	"github.com/rotad/rotad/test/kills/wire"
	"github.com/rotad/rotad/test/servers"
)

// seen is what the dead state file has told so far: what was acknowledged once may not be gone later.
type seen struct {
	audit   uint64                        // number of the last entry
	entries map[string][]credential.Audit // by client
	revs    map[string]uint64             // by client
	asked   map[string]uint64             // by client: the revision that the oracles were asked about last
	open    map[string][]time.Time        // by rotation: the kills that it has not ended since
	records []credential.Record
}

func newSeen() seen {
	return seen{entries: map[string][]credential.Audit{}, revs: map[string]uint64{}, asked: map[string]uint64{}, open: map[string][]time.Time{}}
}

// look checks the state file of the dead daemon: bbolt's pages, every checksum, the due index and all others against the
// records and back, the counters, the outbox and the chain of the audit; and that nothing in it went back.
func (w *killed) look(ctx context.Context) (err error) {
	if _, err := os.Stat(w.statePath()); errors.Is(err, os.ErrNotExist) {
		w.seen.records = nil
		return nil // it died before there was a state
	}
	store, err := bolt.Open(w.statePath(), bolt.Options{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("opening the dead state: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Check(ctx); err != nil {
		return err
	}
	if w.seen.records, err = store.List(ctx, "", 0); err != nil {
		return err
	}
	for _, rec := range w.seen.records {
		if before := w.seen.revs[rec.Client.ID]; rec.Rev < before {
			return fmt.Errorf("client %s went back from revision %d to %d", rec.Client.ID, before, rec.Rev)
		}
		w.seen.revs[rec.Client.ID] = rec.Rev
	}
	return w.readAudit(ctx, store)
}

// readAudit takes in what was written down since the last look.
func (w *killed) readAudit(ctx context.Context, store *bolt.Store) error {
	last, _, err := store.AuditHead(ctx)
	if err != nil {
		return err
	}
	if last < w.seen.audit {
		return fmt.Errorf("the audit went back from entry %d to %d", w.seen.audit, last)
	}
	for w.seen.audit < last {
		page, err := store.Audit(ctx, w.seen.audit, 0)
		if err != nil {
			return err
		}
		for _, a := range page {
			w.seen.entries[a.Client] = append(w.seen.entries[a.Client], a)
			w.seen.audit = a.Seq
			if a.Event == credential.EventConfirmed || a.Event == credential.EventAborted {
				w.ended(a)
			}
		}
	}
	return nil
}

// unmoved says whether a client can be left out of a look: nothing has been committed about it since the last one, no
// secret of it is on its way, and it is not its turn.
func (s *seen) unmoved(rec credential.Record, turn int) bool {
	id := rec.Client.ID
	before := s.asked[id]
	s.asked[id] = rec.Rev
	switch rec.Phase() {
	case credential.PhaseSteady, credential.PhaseOverlap, credential.PhaseRevoking:
		return before == rec.Rev && (turn+len(id)+int(id[len(id)-1]))%3 != 0
	default:
		return false
	}
}

// ended notes how long after each kill an interrupted rotation took to its end.
func (w *killed) ended(a credential.Audit) {
	for _, at := range w.seen.open[a.Rotation] {
		w.settled(a.Mode, a.At.Sub(at))
	}
	delete(w.seen.open, a.Rotation)
}

// flight returns the rotations under way as the dead state has them, and notes the kill with each.
func (w *killed) flight(at time.Time) []credential.Record {
	var list []credential.Record
	for _, rec := range w.seen.records {
		if rec.Rotation != nil {
			list = append(list, rec)
			w.seen.open[rec.Rotation.ID] = append(w.seen.open[rec.Rotation.ID], at)
		}
	}
	return list
}

// ask asks the oracles about every client; before the end, of those that do not move only about every third.
func (w *killed) ask(ctx context.Context, question func(oracle.View) []oracle.Broken, final bool) error {
	var broken []error
	for _, rec := range w.seen.records {
		if !final && w.seen.unmoved(rec, w.kill) {
			continue
		}
		v, failed, err := w.view(ctx, rec)
		if err != nil {
			return fmt.Errorf("looking at %s: %w", rec.Client.ID, err)
		}
		found := question(v)
		if *failed != nil {
			return fmt.Errorf("looking at %s: %w", rec.Client.ID, *failed)
		}
		for _, b := range found {
			broken = append(broken, fmt.Errorf("%s (%s, revision %d): %s", rec.Client.ID, rec.Phase(), rec.Rev, b))
		}
	}
	return errors.Join(broken...)
}

// view is what can be seen of a client from outside. What Accepts could not find out stands in the second result.
func (w *killed) view(ctx context.Context, rec credential.Record) (oracle.View, *error, error) {
	id := rec.Client.ID
	k, _ := w.kindOf(id)
	field := "client_secret"
	if k.server == "approle" {
		field = "secret_id"
	}
	failed := new(error)
	v := oracle.View{Client: id, At: time.Now(), Record: rec, Audit: w.seen.entries[id]}
	v.Accepts = func(value string) bool {
		ok, err := w.accepts(ctx, k, id, value)
		*failed = errors.Join(*failed, err)
		return ok
	}
	v.Version = func(version int) string {
		if version == 0 {
			return ""
		}
		stored, err := w.Vault.Get(ctx, rec.Client.Vault.Path, version)
		*failed = errors.Join(*failed, err)
		return w.Known(stored.Text(field))
	}
	hands, err := w.Vault.Get(ctx, rec.Client.Vault.Path, 0)
	if err != nil {
		return v, failed, err
	}
	v.Hands = w.Known(hands.Text(field))
	staging, err := w.Vault.Get(ctx, "rotad/staging/"+rec.Client.StagingKey(), 0)
	if err != nil {
		return v, failed, err
	}
	v.Staged, v.StageID = w.Known(staging.Text("bundle."+field)), staging.Text("secret_id")
	v.Secrets, err = w.secrets(ctx, k, id)
	return v, failed, err
}

// secrets lists what stands at a provider that keeps secrets under ids of its own.
func (w *killed) secrets(ctx context.Context, k kind, id string) ([]oracle.Secret, error) {
	var list []oracle.Secret
	switch {
	case k.server == "approle":
		accessors, err := w.Vault.Accessors(ctx, id)
		for _, a := range accessors {
			list = append(list, oracle.Secret{ID: a, Live: true, Maker: w.maker(id, a)})
		}
		return list, err
	case k.name == "entra":
		found, err := w.listed(ctx, id)
		for _, s := range found {
			list = append(list, oracle.Secret{ID: s.ID, Label: s.Label, Live: s.Live, Maker: w.maker(id, s.ID)})
		}
		return list, err
	default:
		return nil, nil
	}
}

// maker: a person made the first secret of a client, and rotad adopted it. It made all the others.
func (w *killed) maker(id, secret string) oracle.Maker {
	if w.first[id] == secret {
		return oracle.Adopted
	}
	return oracle.ByRotad
}

// troubled says whether somebody has to be given time: an unknown create that is not settled, or a previous secret that
// ends before long while its successor is not published.
func (w *killed) troubled(now time.Time) bool {
	return slices.ContainsFunc(w.seen.records, func(rec credential.Record) bool {
		r := rec.Rotation
		if r == nil || r.Promoted != 0 || r.Caps.Mode == credential.ModeManual {
			return false
		}
		return r.Fence != 0 && w.pressed(rec, now)
	})
}

// patience is how old a create may be that nothing presses to settle, before kills let it be.
const patience = 25 * time.Second

// pressed says whether a rotation that has sent a create and not published it is to be given time. Where a previous
// secret counts down and no value can be read back, a second create must fit in. Elsewhere nothing presses: a value that
// can be read is read by the next life at once, and what waits is settled together with others.
func (w *killed) pressed(rec credential.Record, now time.Time) bool {
	r := rec.Rotation
	if k, _ := w.kindOf(rec.Client.ID); k.client["grace"] != nil {
		return now.Sub(r.Started) > wire.Grace*3/10
	}
	return now.Sub(r.Started) > patience && now.Sub(r.FenceAt) > patience
}

// resumable are the holds that a person resolves by asking to try again: kills make a step fail often.
func (w *killed) resumable() (ids []string, err error) {
	for _, rec := range w.seen.records {
		h := rec.Hold
		if h == nil || h.Paging || h.Retry {
			continue
		}
		switch h.Code {
		case credential.HoldAttempts:
			ids = append(ids, rec.Client.ID)
		case credential.HoldSecretLost: // ends by a cutover
		default:
			err = errors.Join(err, fmt.Errorf("%s (%s) waits for a person: %s: %s", rec.Client.ID, rec.Phase(), h.Code, h.Detail))
		}
	}
	return ids, err
}

// stored reads what Vault hands out.
func (w *killed) stored(ctx context.Context, id string) (servers.Stored, error) {
	return w.Vault.Get(ctx, "apps/"+id+"/oidc", 0)
}
