package notify_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/rotad/rotad/notify"
)

func TestGarbageHasRoomWhateverIsAlive(t *testing.T) {
	for _, tt := range []struct {
		alive uint64
		want  int
	}{
		{0, 600}, {1 << 20, 600}, {32 << 20, 300}, {40 << 20, 200}, {128 << 20, 100}, {4 << 30, 100},
	} {
		if got := notify.GCPercent(tt.alive); got != tt.want {
			t.Errorf("with %d MiB alive GOGC is %d, want %d", tt.alive>>20, got, tt.want)
		}
	}
}

// What an operator has chosen holds again afterwards, and meanwhile where it allows more.
func TestGarbageIsAsAlwaysAfterwards(t *testing.T) {
	begun := gcSetting()
	defer debug.SetGCPercent(begun)
	for _, tt := range []struct {
		usual, most int
	}{
		{50, 600}, {100, 600}, {2000, 2000}, {-1, -1},
	} {
		debug.SetGCPercent(tt.usual)
		var g notify.Garbage
		for range 2 {
			g.Allow(true)
			if got := gcSetting(); got > tt.most || got < min(tt.most, 100) {
				t.Errorf("GOGC is %d, at most %d", got, tt.most)
			}
		}
		g.Allow(false)
		if got := gcSetting(); got != tt.usual {
			t.Errorf("GOGC is %d afterwards, want %d", got, tt.usual)
		}
	}
}

// The room is asked for anew with every batch: it stays what it is, in bytes, when more has come alive.
func TestGarbageHasNoMoreRoomWhenMoreIsAlive(t *testing.T) {
	defer debug.SetGCPercent(gcSetting())
	debug.SetGCPercent(100)
	runtime.GC()
	var g notify.Garbage
	g.Allow(true)
	defer g.Allow(false)
	before := gcSetting()
	alive := make([]byte, 128<<20)
	runtime.GC()
	g.Allow(true)
	if after := gcSetting(); before <= 100 || after != 100 {
		t.Errorf("GOGC was %d, and is %d with 128 MiB more alive, want 100", before, after)
	}
	runtime.KeepAlive(alive)
}

func gcSetting() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}
