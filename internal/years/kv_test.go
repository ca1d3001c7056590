package years_test

import (
	"context"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
)

// kv is Vault's KV v2 with the paths of a whole fleet.
type kv struct {
	clocks    *clocks
	time      func() time.Time // that Vault tells
	published func() time.Time // how it dates what is published
	away      *outage
	judge     *judge

	mu       sync.Mutex
	staging  map[string]*history[credential.Staging] // by staging key
	consumer map[string]*history[credential.Bundle]  // by path
	client   map[string]string                       // by path: whose it is
}

// history is the versions of one path. Vault forgets old ones, and so does this.
type history[T any] struct {
	first int // number of versions[0] less one
	list  []version[T]
}

type version[T any] struct {
	data      T
	at        time.Time
	maker     oracle.Maker
	destroyed bool
}

const versionsKept = 40

func (h *history[T]) number() int { return h.first + len(h.list) }

func (h *history[T]) get(n int) (v version[T], ok bool) {
	if i := n - h.first - 1; i >= 0 && i < len(h.list) {
		return h.list[i], true
	}
	return v, false
}

func (h *history[T]) add(v version[T]) {
	h.list = append(h.list, v)
	if drop := len(h.list) - versionsKept; drop > versionsKept {
		h.list, h.first = append([]version[T](nil), h.list[drop:]...), h.first+drop
	}
}

func (h *history[T]) destroy(numbers []int) {
	for _, n := range numbers {
		if i := n - h.first - 1; i >= 0 && i < len(h.list) {
			var none T
			h.list[i].data, h.list[i].destroyed = none, true
		}
	}
}

func newKV(f *fleet, away *outage) *kv {
	return &kv{
		clocks: f.clocks, time: f.independent, published: f.published, away: away, judge: f.judge, staging: map[string]*history[credential.Staging]{},
		consumer: map[string]*history[credential.Bundle]{}, client: map[string]string{},
	}
}

// register makes the paths of a client.
func (v *kv) register(c credential.Client, value string) {
	v.staging[c.StagingKey()], v.consumer[c.Vault.Path] = &history[credential.Staging]{}, &history[credential.Bundle]{}
	v.client[c.Vault.Path] = c.ID
	if value != "" {
		v.consumer[c.Vault.Path].add(version[credential.Bundle]{data: bundle(c.ID, value), at: v.clocks.truth(), maker: oracle.ByPerson})
	}
}

func (v *kv) lock() (unlock func(), err error) {
	if v.away.now() {
		return func() {}, credential.ErrSealed
	}
	v.mu.Lock()
	return v.mu.Unlock, nil
}

// Staging reads a staging entry.
func (v *kv) Staging(_ context.Context, key string) (credential.Entry, error) {
	unlock, err := v.lock()
	defer unlock()
	if err != nil {
		return credential.Entry{}, err
	}
	h := v.staging[key]
	last, ok := h.get(h.number())
	if !ok {
		return credential.Entry{}, nil
	}
	return credential.Entry{Staging: last.data, Version: h.number(), Created: last.at, Deleted: last.destroyed}, nil
}

// Stage writes a staging entry by compare-and-swap.
func (v *kv) Stage(_ context.Context, key string, cas int, s credential.Staging) (int, time.Time, error) {
	if v.away.now() {
		return 0, time.Time{}, credential.ErrSealed
	}
	v.judge.actOn(s.Client, oracle.Act{Kind: oracle.Stage, Rotation: s.Rotation})
	v.mu.Lock()
	defer v.mu.Unlock()
	h := v.staging[key]
	if h.number() != cas {
		return 0, time.Time{}, credential.ErrCAS
	}
	h.add(version[credential.Staging]{data: s, at: v.clocks.truth()})
	return h.number(), v.clocks.truth(), nil
}

// Consumer reads a version of a consumer path; 0 = the current one.
func (v *kv) Consumer(_ context.Context, p credential.VaultPath, n int) (credential.Consumer, error) {
	unlock, err := v.lock()
	defer unlock()
	if err != nil {
		return credential.Consumer{}, err
	}
	h := v.consumer[p.Path]
	if n == 0 {
		n = h.number()
	}
	stored, ok := h.get(n)
	if !ok {
		return credential.Consumer{}, nil
	}
	return credential.Consumer{Version: n, Created: stored.at, Deleted: stored.destroyed, Bundle: stored.data}, nil
}

// Promote writes a consumer path by compare-and-swap.
func (v *kv) Promote(_ context.Context, p credential.VaultPath, cas int, b credential.Bundle) (int, time.Time, error) {
	if v.away.now() {
		return 0, time.Time{}, credential.ErrSealed
	}
	v.judge.actOn(v.client[p.Path], oracle.Act{Kind: oracle.Promote, Value: b.Secret().Reveal()})
	v.mu.Lock()
	defer v.mu.Unlock()
	h := v.consumer[p.Path]
	if h.number() != cas {
		return 0, time.Time{}, credential.ErrCAS
	}
	h.add(version[credential.Bundle]{data: b, at: v.clocks.truth(), maker: oracle.ByRotad})
	return h.number(), v.published(), nil
}

// Annotate does nothing that a rotation depends on.
func (v *kv) Annotate(context.Context, credential.VaultPath, map[string]string) error { return nil }

// DestroyStaging destroys staging versions.
func (v *kv) DestroyStaging(_ context.Context, key string, versions []int) error {
	unlock, err := v.lock()
	defer unlock()
	if err == nil {
		v.staging[key].destroy(versions)
	}
	return err
}

// DestroyConsumer destroys consumer versions.
func (v *kv) DestroyConsumer(_ context.Context, p credential.VaultPath, versions []int) error {
	if v.away.now() {
		return credential.ErrSealed
	}
	v.judge.actOn(v.client[p.Path], oracle.Act{Kind: oracle.Destroy, Versions: versions})
	v.mu.Lock()
	defer v.mu.Unlock()
	v.consumer[p.Path].destroy(versions)
	return nil
}

// Time returns the true time.
func (v *kv) Time(context.Context) (time.Time, error) {
	if v.away.now() {
		return time.Time{}, credential.ErrSealed
	}
	return v.time(), nil
}

// TokenExpires returns zero: the token never ends.
func (v *kv) TokenExpires() time.Time { return time.Time{} }

// seen is what Vault holds for one client.
type seen struct {
	hands, staged, stageID string
	at                     time.Time
	by                     oracle.Maker
}

func (v *kv) see(c credential.Client) seen {
	v.mu.Lock()
	defer v.mu.Unlock()
	var s seen
	h, st := v.consumer[c.Vault.Path], v.staging[c.StagingKey()]
	if last, ok := h.get(h.number()); ok {
		s.hands, s.at, s.by = last.data.Secret().Reveal(), last.at, last.maker
	}
	if last, ok := st.get(st.number()); ok {
		s.staged, s.stageID = last.data.Bundle.Secret().Reveal(), last.data.New.ID
	}
	return s
}

// value returns the value of a consumer version.
func (v *kv) value(c credential.Client, n int) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	stored, _ := v.consumer[c.Vault.Path].get(n)
	return stored.data.Secret().Reveal()
}
