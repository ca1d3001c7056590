package statetest

import (
	"context"
	"iter"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// Store is what the suite asks of a store. The methods are documented at bolt.Store.
type Store interface {
	Claim(ctx context.Context, now time.Time, provider string, n int, owner string, lease time.Duration) ([]credential.Record, error)
	ClaimOne(ctx context.Context, now time.Time, id, owner string, lease time.Duration) (credential.Record, bool, error)
	Release(id, owner string)
	Commit(ctx context.Context, c credential.Change) (r credential.Record, conflict bool, err error)
	CommitMany(ctx context.Context, changes []credential.Change) ([]state.Refusal, error)
	NextDue(ctx context.Context, provider string) (at time.Time, ok bool, err error)
	Providers() []string

	Get(ctx context.Context, id string) (credential.Record, bool, error)
	Archived(ctx context.Context, id string) (credential.Record, bool, error)
	Find(ctx context.Context, provider string, ref credential.Ref) (id string, ok bool, err error)
	List(ctx context.Context, after string, n int) ([]credential.Record, error)
	Active(ctx context.Context, after string, n int) ([]credential.Record, error)
	History(ctx context.Context, id string, n int) ([]credential.Audit, error)
	Audit(ctx context.Context, after uint64, n int) ([]credential.Audit, error)
	VerifyAudit(ctx context.Context) (entries uint64, err error)

	ClaimNotices(ctx context.Context, now time.Time, n int) ([]credential.Notice, error)
	Settle(ctx context.Context, notices ...credential.Notice) error
	NextNotice(ctx context.Context) (at time.Time, ok bool, err error)
	Prune(ctx context.Context, now time.Time) (int, error)
	OutboxCounts() map[credential.NoticeState]int

	Tally(ctx context.Context, provider string) (credential.Tally, error)
	Aggregates() state.Aggregates
	Expiring(ctx context.Context, now time.Time, within ...time.Duration) (expired int, soon []int, err error)
	MostUrgent(ctx context.Context, n int) iter.Seq2[credential.Record, error]

	Meta() state.Meta
	SetInstance(ctx context.Context, id string) error
	ClearRestored(ctx context.Context) error
	Check(ctx context.Context) error
	FreeBytes() (uint64, error)
	Close() error
}
