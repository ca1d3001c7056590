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

// bounded is a connection that ends an answer which has no end. The library keeps an answer in memory until it is
// complete; without a limit a server, or whoever stands in its place, could fill the memory until the deadline comes.
type bounded struct {
	net.Conn

	left atomic.Int64 // bytes that may still be read in this step
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
