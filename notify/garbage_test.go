package notify_test

import (
	"runtime/debug"
	"testing"

	"github.com/rotad/rotad/notify"
)

func TestGarbageHasRoomWhateverIsAlive(t *testing.T) {
	for _, tt := range []struct {
		alive uint64
		want  int
	}{
		{0, 800}, {1 << 20, 800}, {32 << 20, 400}, {128 << 20, 100}, {4 << 30, 100},
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
		{50, 800}, {100, 800}, {2000, 2000}, {-1, -1},
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

func gcSetting() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}
