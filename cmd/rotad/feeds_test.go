package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// feedWorld is a daemon that does not run, with clients in its state.
func feedWorld(t testing.TB, clients int) feeds {
	t.Helper()
	cfg := &config.Config{
		State: config.State{Path: filepath.Join(t.TempDir(), "rotad.db")}, Scan: "@every 1h",
		Vault:    config.Vault{VaultServer: config.VaultServer{Address: "http://127.0.0.1:1", Auth: config.VaultAuth{Method: "token", TokenEnv: "NOBODY_ASKS"}}},
		Owners:   map[string]config.Owner{"payments": {Timezone: "Europe/Berlin"}, "others": {}},
		Policies: map[string]credential.Policy{},
	}
	d, err := newDaemon(cfg, daemonSettings{clocks: realClocks(), log: slog.New(slog.DiscardHandler), noSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.close() })
	at := time.Date(2026, 12, 6, 12, 0, 0, 0, time.UTC)
	var changes []credential.Change
	for i := range clients {
		id := fmt.Sprintf("client-%06d", i)
		changes = append(changes, credential.Change{Create: true, Record: credential.Record{
			Client: credential.Client{
				ID: id, Provider: "corp", Ref: credential.Ref{"client_id": id}, Owner: []string{"payments", "others"}[min(1, i%10/9)], Policy: "default",
				Vault: credential.VaultPath{Mount: "secret", Path: "apps/" + id},
			},
			Since: at, Calendar: credential.Calendar{UID: "uid-" + id, Sequence: 1, At: at.AddDate(0, 0, 30), Stamp: at, What: "the secret expires", Sent: i%10 != 0},
		}})
	}
	for chunk := range slices.Chunk(changes, 5000) {
		if refusals, err := d.store.CommitMany(t.Context(), chunk); err != nil || len(refusals) > 0 {
			t.Fatal(err, refusals)
		}
	}
	return feeds{d}
}

// A feed goes over many pages of clients, has those of its owner and no others, and no event that was cancelled or never sent.
func TestAFeedIsAllOfAnOwnersEvents(t *testing.T) {
	f := feedWorld(t, 2*state.PageSize+300)
	var feed bytes.Buffer
	if err := f.Write(t.Context(), "payments", &feed); err != nil {
		t.Fatal(err)
	}
	if got, want := len(events(t, feed.String())), (2*state.PageSize+300)/10*8; got != want {
		t.Errorf("%d events, want %d", got, want)
	}
	if strings.Contains(feed.String(), "client-000009") || strings.Contains(feed.String(), "client-000010") {
		t.Error("the feed has an event of another owner, or one that was cancelled")
	}
	if _, err := f.Tag(t.Context(), "nobody"); err == nil {
		t.Error("there is a feed of nobody")
	}
}

// The tag changes with everything that the feed shows, and with nothing else.
func TestTheTagOfAFeedFollowsWhatItShows(t *testing.T) {
	f := feedWorld(t, 20)
	tag := func() string {
		tag, err := f.Tag(t.Context(), "payments")
		if err != nil {
			t.Fatal(err)
		}
		return tag
	}
	edit := func(id string, change func(*credential.Record)) {
		rec, _, err := f.d.store.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		change(&rec)
		if _, conflict, err := f.d.store.Commit(t.Context(), credential.Change{Record: rec, Keep: true}); err != nil || conflict {
			t.Fatal(conflict, err)
		}
	}
	for name, tt := range map[string]struct {
		id      string
		change  func(*credential.Record)
		differs bool
	}{
		"moved":                    {"client-000001", func(r *credential.Record) { r.Calendar.At = r.Calendar.At.Add(time.Hour) }, true},
		"another version in Vault": {"client-000002", func(r *credential.Record) { r.Version++ }, true},
		"cancelled":                {"client-000003", func(r *credential.Record) { r.Calendar.Sent = false }, true},
		"looked at":                {"client-000004", func(r *credential.Record) { r.Looked = r.Since.Add(time.Hour) }, false},
		"somebody else's":          {"client-000009", func(r *credential.Record) { r.Calendar.Sequence++ }, false},
	} {
		before := tag()
		edit(tt.id, tt.change)
		if (tag() != before) != tt.differs {
			t.Errorf("%s: the tag differs: %t", name, !tt.differs)
		}
	}
	before := tag()
	cfg := *f.d.config()
	cfg.Owners = map[string]config.Owner{"payments": {Timezone: "America/New_York"}}
	f.d.cfg.Store(&cfg)
	if tag() == before {
		t.Error("the tag does not follow the zone of the owner")
	}
}

// BenchmarkFeed is a feed of nearly 100,000 clients: what it takes, and how much is held meanwhile.
func BenchmarkFeed(b *testing.B) {
	f := feedWorld(b, 100_000)
	var peak uint64
	for b.Loop() {
		if _, err := f.Tag(b.Context(), "payments"); err != nil {
			b.Fatal(err)
		}
		w := &meteredWriter{peak: &peak}
		if err := f.Write(b.Context(), "payments", w); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(peak)/(1<<20), "MiB-in-use")
}

// meteredWriter looks at the heap now and then.
type meteredWriter struct {
	n    int
	peak *uint64
}

func (w *meteredWriter) Write(p []byte) (int, error) {
	if w.n++; w.n%10_000 == 0 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		*w.peak = max(*w.peak, m.HeapAlloc)
	}
	return len(p), nil
}

var (
	_ answer.Feed = feeds{}
	_ io.Writer   = &meteredWriter{}
)
