package notify_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// taken keeps in memory what was taken.
type taken struct {
	mu     sync.Mutex
	noted  map[string]string
	fail   error        // of every note
	onNote func(string) // runs before a note
}

func (t *taken) Note(id, answer string) error {
	if t.onNote != nil {
		t.onNote(id)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fail == nil {
		t.noted[id] = answer
	}
	return t.fail
}

func (t *taken) Answer(id string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	answer, ok := t.noted[id]
	return answer, ok
}

func (t *taken) Done(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.noted, id)
	return nil
}

func (t *taken) ids() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.noted))
}

func crowd(n int) (notices []credential.Notice) {
	for i := range n {
		notices = append(notices, retired(uint64(i+1), fmt.Sprintf("client-%d", i)))
	}
	return notices
}

// What a server has taken comes twice after a kill where nothing remembers it, and after a power cut where the disk does not. The
// first are as many as speak, always. So are the second, but while many notices are due: then nobody waits for the disk.
func TestFewMessagesAreSaidAndRememberedNowhere(t *testing.T) {
	broken := errors.New("no space")
	for name, tt := range map[string]struct {
		due     int
		note    bool  // there is something that remembers
		fail    error // and it does not
		disk    int64 // messages that the disk did not know of, at most
		atLeast int64
		within  time.Duration
	}{
		"few":                      {255, true, nil, 4, 4, 300 * time.Second},
		"many":                     {600, true, nil, 128, 100, 15 * time.Second},
		"many, and no remembering": {600, false, nil, 4, 4, 800 * time.Second},
		"many, and it fails":       {600, true, broken, 8, 4, 800 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, crowd(tt.due)...)
				var nowhere, mostNowhere, disk, mostDisk, took atomic.Int64
				began := time.Now()
				memory := &taken{noted: map[string]string{}, fail: tt.fail, onNote: func(string) {
					if tt.fail == nil {
						nowhere.Add(-1)
					}
				}}
				if tt.note {
					w.settings.Taken = memory
				}
				w.channel.during = func(context.Context) error {
					mostNowhere.Store(max(mostNowhere.Load(), nowhere.Add(1)))
					mostDisk.Store(max(mostDisk.Load(), disk.Add(1)))
					pass0(time.Millisecond) // meanwhile all others come to wait for their turn
					return nil
				}
				w.outbox.disk = func(n credential.Notice) {
					pass0(time.Second)
					if n.State == credential.NoticeSent {
						disk.Add(-1)
						took.Store(int64(time.Since(began)))
						if !tt.note || tt.fail != nil {
							nowhere.Add(-1)
						}
					}
				}
				w.run(t)
				pass(time.Hour)
				if tt.fail == nil && mostNowhere.Load() > 4 {
					t.Errorf("%d messages were remembered nowhere at once", mostNowhere.Load())
				}
				if mostDisk.Load() > tt.disk || mostDisk.Load() < tt.atLeast {
					t.Errorf("the disk did not know of %d messages at once, want %d to %d", mostDisk.Load(), tt.atLeast, tt.disk)
				}
				if len(w.channel.sends()) != tt.due || time.Duration(took.Load()) > tt.within {
					t.Errorf("%d were sent in %v, want %d within %v", len(w.channel.sends()), time.Duration(took.Load()), tt.due, tt.within)
				}
				if left := memory.ids(); len(left) > 0 {
					t.Errorf("still noted: %v", left)
				}
			})
		})
	}
}

// That a delivery begins is written down before its first byte, but where many are due and what was taken is remembered past a kill.
func TestABeginningIsWrittenDownUnlessItIsRememberedWhatWasTaken(t *testing.T) {
	for name, tt := range map[string]struct {
		due         int
		note        bool
		fail        error
		least, most int // of those whose beginning is written down
	}{
		"few":                      {255, true, nil, 255, 255},
		"many":                     {600, true, nil, 0, 0},
		"many, and no remembering": {600, false, nil, 600, 600},
		"many, and it fails":       {600, true, errors.New("no space"), 600 - 128, 600 - 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, crowd(tt.due)...)
				if tt.note {
					w.settings.Taken = &taken{noted: map[string]string{}, fail: tt.fail}
				}
				var begun atomic.Int64
				w.outbox.disk = func(n credential.Notice) {
					if n.State == credential.NoticePending && n.Deliveries[0].Attempts == 1 {
						begun.Add(1)
					}
				}
				w.run(t)
				pass(time.Hour)
				if got := int(begun.Load()); got < tt.least || got > tt.most {
					t.Errorf("of %d the beginning was written down, want %d to %d", got, tt.least, tt.most)
				}
				if got := states(w)[credential.NoticeSent]; got != tt.due {
					t.Errorf("%d were sent, want %d", got, tt.due)
				}
			})
		})
	}
}

// Who is killed after the server's yes, and before the disk has it, finds it noted, and sends it to nobody again: alone or as a
// digest.
func TestWhatWasNotedIsNotSentAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		due    int
		digest bool
	}{"alone": {3, false}, "as a digest": {3, true}, "among many": {600, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, many(tt.due)...)
				if tt.digest {
					w.gathers(nil)
				}
				memory := &taken{noted: map[string]string{}}
				w.settings.Taken = memory
				killed := errors.New("killed")
				w.outbox.fail = func(n credential.Notice) error {
					if n.State == credential.NoticeSent {
						return killed
					}
					return nil
				}
				w.run(t)
				pass(day)
				if err := <-w.done; !errors.Is(err, killed) {
					t.Fatalf("the loop ended with %v", err)
				}
				before := len(w.channel.sends())
				if before == 0 || len(memory.ids()) != before {
					t.Fatalf("%d were sent, noted are %v", before, memory.ids())
				}
				w.outbox.fail = nil
				w.run(t)
				pass(day)
				seen := map[string]int{}
				for _, s := range w.channel.sends() {
					seen[s.message.ID]++
				}
				for id, n := range seen {
					if n != 1 {
						t.Errorf("%s was sent %d times", id, n)
					}
				}
				if states(w)[credential.NoticeSent] != tt.due || len(memory.ids()) > 0 {
					t.Errorf("%v, still noted %v", states(w), memory.ids())
				}
			})
		})
	}
}
