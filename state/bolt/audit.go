package bolt

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// A stored audit entry is sealed(SHA-256 of the sealed entry before, number of the client's entry before, entry). The
// hashes make a chain over the whole audit, the numbers one per client, so that a history needs no index.
const auditHead = sha256.Size + timeLength

func hashOf(value []byte) [sha256.Size]byte { return sha256.Sum256(value) }

// appendAudit adds an entry to the chain and returns its number.
func (t *txn) appendAudit(link uint64, row []byte) uint64 {
	t.last.audit++
	key := seqKey(t.last.audit)
	value := state.Seal(key, t.last.hash[:], number(link), row)
	t.last.hash = hashOf(value)
	t.set(bktAudit, key, value)
	return t.last.audit
}

// auditRow is a decoded audit entry.
type auditRow struct {
	credential.Audit
	before [sha256.Size]byte
	link   uint64
}

func parseAudit(seq uint64, payload []byte) (auditRow, error) {
	if len(payload) < auditHead {
		return auditRow{}, fmt.Errorf("audit entry %d: %w", seq, state.ErrCorrupt)
	}
	a, err := state.Decode[credential.Audit](payload[auditHead:])
	if err != nil {
		return auditRow{}, fmt.Errorf("audit entry %d: %w", seq, err)
	}
	a.Seq = seq
	return auditRow{a, [sha256.Size]byte(payload), parseSeq(payload[sha256.Size:auditHead])}, nil
}

// History returns the audit entries of a client, newest first, at most n (0 = state.PageSize, which is also the most).
// It knows archived clients too. A renamed client keeps its history.
func (s *Store) History(ctx context.Context, id string, n int) ([]credential.Audit, error) {
	var entries []credential.Audit
	err := s.view(ctx, func(t *txn) error {
		r, err := t.record(bktRecord, id)
		if err == nil && r == nil {
			r, err = t.record(bktArchive, id)
		}
		if err != nil || r == nil {
			return err
		}
		for seq := r.link; seq != 0 && len(entries) < page(n); {
			row, err := t.auditRow(seq)
			if err != nil {
				return err
			}
			entries = append(entries, row.Audit)
			if row.link >= seq {
				return fmt.Errorf("audit entry %d: %w: it points forward", seq, state.ErrCorrupt)
			}
			seq = row.link
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the history of %s: %w", id, err)
	}
	return entries, nil
}

func (t *txn) auditRow(seq uint64) (auditRow, error) {
	payload, found, err := t.get(bktAudit, seqKey(seq))
	if err != nil {
		return auditRow{}, err
	}
	if !found {
		return auditRow{}, fmt.Errorf("audit entry %d is missing: %w", seq, state.ErrCorrupt)
	}
	return parseAudit(seq, payload)
}

// Audit returns the audit entries after a number, oldest first, at most n (0 = state.PageSize, which is also the most).
func (s *Store) Audit(ctx context.Context, after uint64, n int) ([]credential.Audit, error) {
	var entries []credential.Audit
	err := s.view(ctx, func(t *txn) error {
		c := t.bucket(bktAudit).Cursor()
		for k, v := c.Seek([]byte(seqKey(after + 1))); k != nil && len(entries) < page(n); k, v = c.Next() {
			payload, err := state.Open(k, v)
			if err != nil {
				return fmt.Errorf("audit entry %d: %w", parseSeq(k), err)
			}
			row, err := parseAudit(parseSeq(k), payload)
			if err != nil {
				return err
			}
			entries = append(entries, row.Audit)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the audit: %w", err)
	}
	return entries, nil
}

// AuditHead returns the number and the hash of the last audit entry. Whoever keeps them elsewhere can prove later that
// nothing was cut off.
func (s *Store) AuditHead(ctx context.Context) (seq uint64, hash [sha256.Size]byte, err error) {
	err = s.view(ctx, func(t *txn) error {
		if k, v := t.bucket(bktAudit).Cursor().Last(); k != nil {
			seq, hash = parseSeq(k), hashOf(v)
		}
		return nil
	})
	return seq, hash, err
}

// VerifyAudit walks the whole chain of the audit and returns the number of entries. Errors wrap state.ErrCorrupt.
func (s *Store) VerifyAudit(ctx context.Context) (entries uint64, err error) {
	var chain [sha256.Size]byte
	for more := true; more && err == nil; {
		err = s.view(ctx, func(t *txn) error {
			var failed error
			entries, chain, more, failed = t.verifyChain(entries, chain)
			return failed
		})
	}
	if err != nil {
		return 0, fmt.Errorf("verifying the audit: %w", err)
	}
	return entries, nil
}

// verifyChain verifies one page of the chain from where it ended.
func (t *txn) verifyChain(last uint64, chain [sha256.Size]byte) (uint64, [sha256.Size]byte, bool, error) {
	c := t.bucket(bktAudit).Cursor()
	n := 0
	for k, v := c.Seek([]byte(seqKey(last + 1))); k != nil; k, v = c.Next() {
		if n++; n > state.PageSize {
			return last, chain, true, nil
		}
		payload, err := state.Open(k, v)
		if err != nil {
			return last, chain, false, fmt.Errorf("entry %d: %w", parseSeq(k), err)
		}
		row, err := parseAudit(parseSeq(k), payload)
		if err != nil {
			return last, chain, false, err
		}
		if row.Seq != last+1 || row.before != chain {
			return last, chain, false, fmt.Errorf("%w: the chain breaks before entry %d", state.ErrCorrupt, row.Seq)
		}
		last, chain = row.Seq, hashOf(v)
	}
	return last, chain, false, nil
}
