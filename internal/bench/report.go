package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// report prints figures as they come.
type report struct {
	out, log io.Writer
	ok, miss int
}

// String lists a result in the order of its names.
func (r result) String() string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(r)) {
		words = append(words, fmt.Sprintf("%s %.4g", name, r[name]))
	}
	return strings.Join(words, ", ")
}

func (r *report) figure(sort, name, value, goal string, ok bool) {
	word := "miss"
	if ok {
		word = "ok"
		r.ok++
	} else {
		r.miss++
	}
	_, _ = fmt.Fprintf(r.out, "%-5s %-22s %-10s goal %-10s %s\n", sort, name, value, goal, word)
}

// atLeast and atMost are ratios; below is a limit with a unit.
func (r *report) atLeast(name string, value, goal float64) {
	r.figure("ratio", name, fmt.Sprintf("%.2f", value), fmt.Sprintf(">=%.1f", goal), value >= goal)
}

func (r *report) atMost(name string, value, goal float64) {
	r.figure("ratio", name, fmt.Sprintf("%.2f", value), fmt.Sprintf("<=%.1f", goal), value <= goal)
}

func (r *report) below(name string, value, goal float64, unit string) {
	r.figure("limit", name, fmt.Sprintf("%.4g%s", value, unit), fmt.Sprintf("<=%.4g%s", goal, unit), value <= goal)
}

// measure runs every part, one after the other, and prints the figures.
func measure(ctx context.Context, s settings, r *report) error {
	began := time.Now()
	for _, step := range []struct {
		name string
		run  func(context.Context, settings, *report) error
	}{{"sweep", reportSweep}, {"rotations", reportRotations}, {"mails", reportMails}, {"digests", reportDigests}, {"handshakes", reportHandshakes}, {"import", reportImport}} {
		if s.only != "" && s.only != step.name {
			continue
		}
		if err := step.run(ctx, s, r); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(r.out, "summary: %d ok, %d missed, %d clients, %.0f s\n", r.ok, r.miss, s.clients, time.Since(began).Seconds())
	return nil
}

func reportSweep(ctx context.Context, s settings, r *report) error {
	m, err := spawn(ctx, s, "sweep", r.log)
	if err != nil {
		return err
	}
	r.atLeast("sweep", m["bare_s"]/m["ours_s"], 0.7)
	return nil
}

func reportRotations(ctx context.Context, s settings, r *report) error {
	m, err := spawn(ctx, s, "rotations", r.log)
	if err != nil {
		return err
	}
	r.atLeast("rotations", m["bare_s"]/m["ours_s"], 0.7)
	return nil
}

func reportMails(ctx context.Context, s settings, r *report) error {
	if s.sink == "" {
		_, _ = fmt.Fprintln(r.log, "# mails: not measured without -sink; make bench starts one")
		return nil
	}
	m, err := spawn(ctx, s, "mails", r.log)
	if err != nil {
		return err
	}
	r.atLeast("mails", m["ours_per_s"]/m["raw_per_s"], 0.7)
	if s.far == "" {
		return nil
	}
	return reportFar(ctx, s, r)
}

// digestsMiB is what the morning may take at most. It is the same with a tenth of the owners: what is claimed and rendered at once, and
// the room that garbage has meanwhile.
const digestsMiB = 160

func reportDigests(ctx context.Context, s settings, r *report) error {
	m, err := spawn(ctx, s, "digests", r.log)
	if err != nil {
		return err
	}
	r.below("digests", m["s"], 60, "s")
	r.below("digests-anon", m["peak_mib"], digestsMiB, "MiB")
	return nil
}

// handshakesMiB is what 10,000 clients with five consumers each may come to while all of them speak.
const handshakesMiB = 50

func reportHandshakes(ctx context.Context, s settings, r *report) error {
	m, err := spawn(ctx, s, "handshakes", r.log)
	if err != nil {
		return err
	}
	r.atLeast("handshakes", m["ours_per_s"]/m["bare_per_s"], 0.5)
	r.below("handshakes-anon", m["anon_mib"], handshakesMiB, "MiB")
	return nil
}

// importRounds is how often both sides of the import are measured; the last file stays for the other parts.
const importRounds = 3

// reportImport makes the large file by importing it, and measures all that needs it.
func reportImport(ctx context.Context, s settings, r *report) error {
	err := prepareImport(ctx, s, r.log)
	if err != nil {
		return err
	}
	var ratios []float64
	for range importRounds {
		ours, failed := importLines(ctx, s, r.log)
		if failed != nil {
			return failed
		}
		raw, failed := spawn(ctx, s, "raw-import", r.log)
		if failed != nil {
			return failed
		}
		ratios = append(ratios, ours.Seconds()/raw["raw_s"])
	}
	r.atMost("import", median(ratios), 2)
	if _, err = spawn(ctx, s, "small", r.log); err != nil {
		return err
	}
	open, err := spawn(ctx, s, "open", r.log)
	if err != nil {
		return err
	}
	r.below("open-1m", open["open_s"], 1, "s")
	if err = reportTick(ctx, s, r); err != nil {
		return err
	}
	memory, err := spawn(ctx, s, "memory", r.log)
	if err != nil {
		return err
	}
	r.below("rss-anon", memory["anon_mib"], 150, "MiB")
	return reportScrape(ctx, s, r)
}

func reportScrape(ctx context.Context, s settings, r *report) error {
	scrape, err := spawn(ctx, s, "scrape", r.log)
	if err != nil {
		return err
	}
	r.atMost("scrape-100k", scrape["ours_ms"]/scrape["bare_ms"], 1.5)
	r.atMost("scrape-1m-vs-1k", scrape["large_ms"]/scrape["small_ms"], 2)
	return nil
}

func reportTick(ctx context.Context, s settings, r *report) error {
	tick, err := spawn(ctx, s, "tick", r.log)
	if err != nil {
		return err
	}
	r.below("tick-1m", tick["large_us"], 100, "us")
	r.atMost("tick-1m-vs-1k", tick["large_us"]/tick["small_us"], 2)
	r.below("tick-writes", tick["writes"], 0, "")
	return nil
}

// median returns the middle of a list.
func median[T time.Duration | float64](list []T) T {
	slices.Sort(list)
	return list[len(list)/2]
}
