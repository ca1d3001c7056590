package notify

import (
	"errors"
	"net"
	"sync/atomic"
)

// maxAnswer is how many bytes of one step of the dialogue are read: far above any certificate chain or list of
// extensions, and little enough to be kept whole.
const maxAnswer = 256 << 10

var errTooLong = errors.New("the mail server's answer is larger than the limit")

// maxGathered is how many bytes of a message are gathered before they are written.
const maxGathered = 64 << 10

// bounded is a connection that ends an answer which has no end. The library keeps an answer in memory until it is
// complete; without a limit a server, or whoever stands in its place, could fill the memory until the deadline comes.
//
// It also writes a message in one piece, where the library hands over 4 KB at a time: each of them would wake the server.
// While something is gathered nothing is read. One goroutine at a time speaks.
type bounded struct {
	net.Conn

	left     atomic.Int64 // bytes that may still be read in this step
	gather   bool
	gathered []byte
}

func newBounded(conn net.Conn) *bounded {
	b := &bounded{Conn: conn}
	b.next()
	return b
}

// next begins another step.
func (b *bounded) next() { b.left.Store(maxAnswer) }

// Read implements net.Conn.
func (b *bounded) Read(p []byte) (int, error) {
	left := b.left.Load()
	if left <= 0 {
		return 0, errTooLong
	}
	n, err := b.Conn.Read(p[:min(int64(len(p)), left)])
	b.left.Add(-int64(n))
	return n, err
}

// Write implements net.Conn. What is gathered counts as written.
func (b *bounded) Write(p []byte) (int, error) {
	if !b.gather {
		return b.Conn.Write(p)
	}
	b.gathered = append(b.gathered, p...)
	if len(b.gathered) < maxGathered {
		return len(p), nil
	}
	return len(p), b.flush()
}

// together gathers what do writes, and writes it when do has ended.
func (b *bounded) together(do func() error) error {
	b.gather = true
	err := do()
	b.gather = false
	return errors.Join(err, b.flush())
}

func (b *bounded) flush() error {
	if len(b.gathered) == 0 {
		return nil
	}
	_, err := b.Conn.Write(b.gathered)
	b.gathered = b.gathered[:0]
	return err
}
