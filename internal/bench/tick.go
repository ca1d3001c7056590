package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/state/bolt"
)

func quietTiming() providers.Timing {
	return providers.Timing{Deadline: time.Minute, Propagation: time.Millisecond}
}

const smallClients = 1000

// smallPart makes the file of 1,000 clients.
func smallPart(ctx context.Context, s settings) (result, error) {
	store, err := bolt.Open(s.small(), bolt.Options{NoSync: true})
	if err != nil {
		return nil, err
	}
	err = register(ctx, store, smallClients, client, time.Now())
	if closed := store.Close(); err == nil {
		err = closed
	}
	return result{"clients": smallClients}, err
}

// tickPart lets the daemon's loop turn on two files, alternately, at a moment at which nothing is due: an hour before
// the first client was registered. The timers of the loop fire at once, so that it does nothing but tick. That no write
// transaction took place is read from the files: each one raises the number on bbolt's meta pages.
func tickPart(ctx context.Context, s settings) (result, error) {
	var stores [2]*bolt.Store
	paths := [2]string{s.state(), s.small()}
	var before [2]uint64
	for i, path := range paths {
		store, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			return nil, err
		}
		defer func() { _ = store.Close() }()
		stores[i] = store
		if before[i], err = transactions(path); err != nil {
			return nil, err
		}
	}
	runtime.GC()
	var took [2][]time.Duration
	for range 10 * s.rounds {
		for i, store := range stores {
			d, err := ticks(ctx, store, 2000)
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], d)
		}
	}
	writes := uint64(0)
	for i, path := range paths {
		after, err := transactions(path)
		if err != nil {
			return nil, err
		}
		writes += after - before[i]
	}
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	return result{"large_us": us(median(took[0])), "small_us": us(median(took[1])), "writes": float64(writes)}, nil
}

// ticks lets the loop turn n times and returns the time of one turn.
func ticks(ctx context.Context, store *bolt.Store, n int64) (time.Duration, error) {
	c := newClock()
	c.advance(-1000 * time.Hour)
	at := make(chan time.Time)
	close(at)
	w, done := newWatch(), make(chan struct{})
	w.turned = func() {
		if w.turns.Load() == n {
			close(done)
		}
	}
	sch := newScheduler(store, c, quiet{c}, quietTiming(), quiet{c}, w)
	sch.After = func(time.Duration) <-chan time.Time { return at }
	began := time.Now()
	var took time.Duration
	err := running(ctx, sch, func() error {
		<-done
		took = time.Since(began) / time.Duration(n)
		return nil
	})
	if err == nil && w.commits.Load() > 0 {
		err = fmt.Errorf("%d clients were due", w.commits.Load())
	}
	return took, err
}

// transactions returns the number of the last write transaction of a bbolt file (v1.5.0, internal/common: two meta
// pages, each with the number of its transaction behind a header of 16 bytes and 48 bytes of other fields).
func transactions(path string) (uint64, error) {
	f, err := os.Open(path) //nolint:gosec // a file of this run
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	last := uint64(0)
	for page := range int64(2) {
		var b [8]byte
		if _, err := f.ReadAt(b[:], page*int64(os.Getpagesize())+16+48); err != nil {
			return 0, err
		}
		last = max(last, binary.NativeEndian.Uint64(b[:]))
	}
	return last, nil
}

// openPart opens the large file until the next due entry is known: every page and checksum is looked at, as at every
// start of the daemon.
func openPart(ctx context.Context, s settings) (result, error) {
	var took []time.Duration
	for range s.rounds {
		runtime.GC()
		began := time.Now()
		store, err := bolt.Open(s.state(), bolt.Options{})
		if err != nil {
			return nil, err
		}
		_, ok, err := store.NextDue(ctx, provider)
		took = append(took, time.Since(began))
		if err != nil || !ok {
			return nil, fmt.Errorf("nothing is due: %w", err)
		}
		if err := store.Close(); err != nil {
			return nil, err
		}
	}
	info, err := os.Stat(s.state())
	if err != nil {
		return nil, err
	}
	return result{"open_s": median(took).Seconds(), "file_mib": float64(info.Size()) / (1 << 20), "anon_mib": anonymous()}, nil
}

// memoryPart is a daemon's loop that looks at every client of the large file for the first time, decides and commits:
// all of them are due at once. It does not wait for the disk, which takes no memory.
func memoryPart(ctx context.Context, s settings) (result, error) {
	store, err := bolt.Open(s.state(), bolt.Options{NoSync: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	c, w := newClock(), newWatch()
	w.goal.Store(int64(s.clients))
	peak := 0.0
	w.turned = func() {
		if w.turns.Load()%10_000 == 0 {
			peak = max(peak, anonymous())
		}
	}
	began := time.Now()
	err = running(ctx, newScheduler(store, c, quiet{c}, quietTiming(), quiet{c}, w), func() error {
		<-w.reached
		return nil
	})
	return result{"anon_mib": anonymous(), "peak_mib": peak, "sweep_s": time.Since(began).Seconds()}, err
}

// anonymous returns the anonymous memory of this process in MiB, as Linux counts it; 0 elsewhere.
func anonymous() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.Atoi(fields[0])
	if err != nil {
		return 0
	}
	return float64(kib) / 1024
}
