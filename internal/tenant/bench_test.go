package tenant_test

import (
	"context"
	"flag"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/tenant"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entra"
)

// size is the number of applications of the benchmark's tenant.
var size = flag.Int("tenant", 1_000_000, "applications in the benchmark's tenant")

// openTenant opens the kind entra against a tenant that is made while it is shown.
func openTenant(tb testing.TB, s sandbox.TenantSettings) (*sandbox.Tenant, providers.Lister) {
	tb.Helper()
	t := sandbox.NewTenant(func() time.Time { return noon }, s)
	server := httptest.NewServer(t.Handler())
	tb.Cleanup(server.Close)
	p, err := entra.Kind().Open(providers.Opening{
		Name: "corp", Secret: func(string) (string, error) { return "own", nil },
		Settings: &entra.Settings{TenantID: "t", ClientID: "rotad", GraphURL: server.URL + sandbox.PathGraph, LoginURL: server.URL + sandbox.PathLogin},
	})
	if err != nil {
		tb.Fatal(err)
	}
	lister, ok := providers.AsLister(p)
	if !ok {
		tb.Fatal("entra cannot list")
	}
	return t, lister
}

// heap returns the bytes that are in use after a collection.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// surveyed walks a tenant, judging every credential, and returns the heap after page 100, or after half of the pages, and
// after the last one. File keeps how far it is.
func surveyed(tb testing.TB, ctx context.Context, lister providers.Lister, file string, from tenant.Position, counts *tenant.Counts) (at tenant.Position, early, late float64, err error) {
	tb.Helper()
	judge := tenant.Judge{Now: noon, Overlap: 30 * day}
	mark := min(100, *size/999/2)
	w := tenant.Walk{Lister: lister, After: new(timer).after}
	w.Page = func(p providers.Page) error {
		for _, c := range p.Clients {
			counts.Count(judge.Rows(c))
		}
		return nil
	}
	w.Taken = func(at tenant.Position) error {
		if at.Pages == mark {
			early = heap()
		}
		if err := (tenant.Progress{Provider: "corp", Position: at}).Save(file); err != nil {
			return err
		}
		return ctx.Err()
	}
	at, err = w.Run(ctx, from)
	return at, early, heap(), err
}

// BenchmarkTenant walks a whole tenant once, and measures what the issue of memory and requests is about.
func BenchmarkTenant(b *testing.B) {
	for b.Loop() {
		t, lister := openTenant(b, sandbox.TenantSettings{Size: *size, Throttle: 50})
		var counts tenant.Counts
		at, early, late, err := surveyed(b, b.Context(), lister, filepath.Join(b.TempDir(), "progress"), tenant.Position{}, &counts)
		if err != nil || at.Clients != *size {
			b.Fatalf("%+v, %v", at, err)
		}
		b.ReportMetric(float64(t.Requests("list")), "requests")
		b.ReportMetric(resumed(b, *size/2/999), "ms-to-go-on")
		b.ReportMetric(float64(*size)/900*1.05, "requests-allowed")
		b.ReportMetric(early/(1<<20), "MiB-early")
		b.ReportMetric(late/(1<<20), "MiB-late")
		b.ReportMetric(float64(counts.Credentials), "credentials")
	}
}

// resumed returns the milliseconds from the start of a process that goes on in the middle of a tenant to the first page taken, its login
// among them.
func resumed(b *testing.B, pages int) float64 {
	b.Helper()
	_, lister := openTenant(b, sandbox.TenantSettings{Size: *size})
	file := filepath.Join(b.TempDir(), "progress")
	cut, stop := context.WithCancel(b.Context())
	w := tenant.Walk{Lister: lister, After: new(timer).after, Page: func(providers.Page) error { return nil }}
	w.Taken = func(at tenant.Position) error {
		if at.Pages == pages {
			stop()
		}
		if at.Pages > pages {
			return context.Canceled
		}
		return (tenant.Progress{Provider: "corp", Position: at}).Save(file)
	}
	_, _ = w.Run(cut, tenant.Position{})
	_, w.Lister = openTenant(b, sandbox.TenantSettings{Size: *size}) // another process, which has to log in
	began := time.Now()
	kept, _, err := tenant.LoadProgress(file)
	if err != nil || kept.Pages != pages {
		b.Fatal(kept, err)
	}
	var first time.Duration
	w.Taken = func(tenant.Position) error {
		first = time.Since(began)
		return context.Canceled
	}
	_, _ = w.Run(b.Context(), kept.Position)
	return float64(first.Microseconds()) / 1000
}

// A million is a thousand of these: the requests stay below a nine hundredth and five per cent, what is in use does not grow,
// and whoever goes on after a cut begins with the next page.
func TestATenantCostsPagesAndNoMemory(t *testing.T) {
	const n = 30_000
	before := *size
	*size = n
	defer func() { *size = before }()
	served, lister := openTenant(t, sandbox.TenantSettings{Size: n, Throttle: 10})
	file := filepath.Join(t.TempDir(), "progress")
	ctx, stop := context.WithCancel(t.Context())
	var counts tenant.Counts
	w := tenant.Walk{Lister: lister, After: new(timer).after, Page: func(p providers.Page) error { return nil }}
	w.Taken = func(at tenant.Position) error {
		if at.Pages == 20 {
			stop()
		}
		return (tenant.Progress{Provider: "corp", Position: at}).Save(file)
	}
	if at, err := w.Run(ctx, tenant.Position{}); err == nil || at.Pages != 20 {
		t.Fatalf("%+v, %v", at, err)
	}
	kept, found, err := tenant.LoadProgress(file)
	if err != nil || !found || kept.Pages != 20 {
		t.Fatalf("%+v, %t, %v", kept, found, err)
	}
	at, early, late, err := surveyed(t, t.Context(), lister, file, tenant.Position{}, &counts)
	if err != nil || at.Clients != n || counts.Century != n/100 || counts.LeftBehind != n/50 || counts.Without != n/10 {
		t.Fatalf("%+v, %+v, %v", at, counts, err)
	}
	if limit := float64(n) / 900 * 1.05; float64(at.Requests) > limit {
		t.Errorf("%d requests for %d clients, at most %.0f are allowed", at.Requests, n, limit)
	}
	if late > early+4<<20 {
		t.Errorf("%.1f MiB in use in the middle, %.1f MiB at the end", early/(1<<20), late/(1<<20))
	}
	asked := served.Requests("list")
	if at, err = (tenant.Walk{Lister: lister, After: new(timer).after, Page: w.Page}).Run(t.Context(), kept.Position); err != nil || at.Clients != n {
		t.Fatalf("%+v, %v", at, err)
	}
	if again := served.Requests("list") - asked; again > 12 {
		t.Errorf("going on after page 20 of 31 took %d requests", again)
	}
}
