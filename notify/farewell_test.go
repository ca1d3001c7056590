package notify_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/rotad/rotad/notify"
)

// polite is a channel that keeps a connection.
type polite struct {
	*channel
	left int
}

func (p *polite) Close() error {
	p.left++
	return errors.New("the server is gone")
}

func TestALoopThatEndsSaysFarewell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, retired(1, "billing"))
		kept := &polite{channel: w.channel}
		w.settings.World.Channels = []notify.Channel{kept}
		w.run(t)
		w.stop()
		synctest.Wait()
		if err := w.loop.Close(); kept.left != 1 || err == nil {
			t.Errorf("%d farewells, %v", kept.left, err)
		}
	})
}
