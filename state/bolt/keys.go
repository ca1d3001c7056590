package bolt

import (
	"encoding/binary"
	"math"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// bucket is the number of a top-level bucket; none of them has buckets inside.
type bucket int

const (
	bktMeta bucket = iota
	bktRecord
	bktDue
	bktExpiry
	bktActive
	bktUnique
	bktOutbox
	bktOutdue
	bktOutkey
	bktAudit
	bktArchive
	bktCount
	bucketCount
)

func bucketNames() [bucketCount]string {
	return [bucketCount]string{
		"meta", "record", "due", "expiry", "active", "unique", "outbox", "outdue", "outkey", "audit", "archive", "count",
	}
}

// appended says whether keys of a bucket only ever grow, so that its pages can be filled.
func (b bucket) appended() bool { return b == bktAudit || b == bktOutbox }

const timeLength = 8

// timeKey is the moment in microseconds, big-endian, with the sign flipped: the order of bytes is the order of time.
func timeKey(t time.Time) string { return microKey(t.UnixMicro()) }

func microKey(micro int64) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(micro)) //nolint:gosec // the bits are wanted
	b[0] ^= 0x80
	return string(b)
}

func parseTimeKey(k string) time.Time {
	b := []byte(k)
	b[0] ^= 0x80
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC() //nolint:gosec // the bits are wanted
}

func seqKey(seq uint64) string { return string(binary.BigEndian.AppendUint64(nil, seq)) }

func parseSeq(k []byte) uint64 {
	if len(k) != timeLength {
		return 0
	}
	return binary.BigEndian.Uint64(k)
}

func dueKey(provider string, due time.Time, id string) string {
	return provider + "\x00" + timeKey(due) + id
}

// dueEntry is a parsed key of the due index.
type dueEntry struct {
	at time.Time
	id string
}

// parseDue takes a key apart; ok is false if it belongs to another provider or is no due key.
func parseDue(k []byte, provider string) (e dueEntry, ok bool) {
	rest, ok := strings.CutPrefix(string(k), provider+"\x00")
	if !ok || len(rest) <= timeLength {
		return dueEntry{}, false
	}
	return dueEntry{at: parseTimeKey(rest[:timeLength]), id: rest[timeLength:]}, true
}

// Names of counters. Parts are joined by NUL, which no part contains.
const (
	countClient   = "client"
	countHold     = "hold"
	countPhase    = "phase"
	countOutbox   = "outbox"
	countHour     = "hour" // of expiry, since 1970, as a big-endian number
	countNoExpiry = "no-expiry"
)

func counter(parts ...string) string { return strings.Join(parts, "\x00") }

func hourOf(t time.Time) int64 { return int64(math.Floor(float64(t.Unix()) / 3600)) }

// facets are the index keys and counters that follow from a record. The zero value is that of no record.
type facets struct {
	provider string
	due      string // empty = no entry; likewise below
	expiry   string
	active   string
	ref      string
	vault    string
	counts   []string
}

func facetsOf(r *credential.Record) facets {
	id, provider := r.Client.ID, r.Client.Provider
	f := facets{provider: provider, counts: []string{counter(countClient, provider, string(r.Mode()))}}
	if !r.Due.IsZero() {
		f.due = dueKey(provider, r.Due, id)
	}
	if expires := state.Expiry(r); !expires.IsZero() {
		f.expiry = timeKey(expires) + id
		f.counts = append(f.counts, counter(countHour, microKey(hourOf(expires))))
	} else if state.WithoutExpiry(r) {
		f.counts = append(f.counts, countNoExpiry)
	}
	if state.Active(r) {
		f.active = id
	}
	if r.Hold != nil {
		f.counts = append(f.counts, counter(countHold, string(r.Hold.Code)))
	}
	if phase := r.Phase(); phase != credential.PhaseSteady {
		f.counts = append(f.counts, counter(countPhase, string(phase)))
	}
	if len(r.Client.Ref) > 0 {
		f.ref = "r\x00" + provider + "\x00" + r.Client.Ref.Canonical()
	}
	if r.Client.Vault.Path != "" {
		f.vault = "v\x00" + r.Client.Vault.Key()
	}
	return f
}
