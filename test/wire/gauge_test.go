package wire_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// Bounds of what the daemon may take with this fleet, whatever the wire does.
const (
	mostGoroutines = 250
	mostMemory     = 160 << 20
	// moreAfter is how many goroutines more than before a fault may be left when all is quiet again: connections that
	// are kept for the next request cost two each.
	moreAfter = 60
)

// size is what the daemon takes at one moment.
type size struct {
	goroutines int
	memory     int // bytes that are resident
}

// gauge reads the daemon's size all the time and keeps the peak.
type gauge struct {
	fleet *fleet
	url   string

	mu   sync.Mutex
	peak size
}

func newGauge(f *fleet) *gauge {
	g := &gauge{fleet: f, url: "http://" + f.daemon.MetricsAddress() + "/metrics"}
	ctx, cancel := context.WithCancel(f.T.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_, _ = g.read(ctx)
			servers.Pause(ctx, 400*time.Millisecond)
		}
	}()
	f.T.Cleanup(func() { cancel(); <-done })
	return g
}

// read reads the size now.
func (g *gauge) read(ctx context.Context) (size, error) {
	values, err := g.metrics(ctx)
	if err != nil {
		return size{}, err
	}
	now := size{goroutines: int(values["go_goroutines"]), memory: int(values["process_resident_memory_bytes"])}
	if now.goroutines == 0 || now.memory == 0 {
		return size{}, fmt.Errorf("the metrics do not say how large the daemon is")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.peak = size{max(g.peak.goroutines, now.goroutines), max(g.peak.memory, now.memory)}
	return now, nil
}

// takePeak returns the largest size since the last call.
func (g *gauge) takePeak() size {
	g.mu.Lock()
	defer g.mu.Unlock()
	peak := g.peak
	g.peak = size{}
	return peak
}

// metrics reads every series, summed over its labels; series with labels also stand under name{labels}.
func (g *gauge) metrics(ctx context.Context) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		series, number, ok := strings.Cut(strings.TrimSpace(line), " ")
		value, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil || strings.HasPrefix(series, "#") {
			continue
		}
		name, labels, _ := strings.Cut(series, "{")
		values[name] += value
		if labels != "" {
			values[series] += value
		}
	}
	return values, nil
}
