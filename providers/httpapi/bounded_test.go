package httpapi_test

import (
	"bufio"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// A server that never ends its reply must not fill the memory until the deadline. The buffers of sockets take some
// megabytes beyond the limit.
func TestAReplyWithoutEndIsCutOff(t *testing.T) {
	for name, test := range map[string]struct {
		begin string
		class providers.Class // of a change; what came may be a secret, so a body is kept
		most  int64           // bytes
	}{
		"header": {"HTTP/1.1 200 OK\r\nX-Long: ", providers.ClassIndeterminate, 8 << 20},
		"body":   {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"value\":\"", providers.ClassNotUnderstood, 8 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, poured := pour(t, test.begin)
			client := connect(t, httpapi.Config{}, "http://"+address)
			resp, err := client.Do(t.Context(), change)
			if got := providers.ClassOf(err); got != test.class {
				t.Errorf("a reply without end gives %v, want %s", err, test.class)
			}
			if n := len(resp.Raw().Reveal()); n > httpapi.DefaultLimit {
				t.Errorf("%d bytes were kept", n)
			}
			if strings.Contains(err.Error(), "xxxx") {
				t.Error("the error repeats the reply")
			}
			if n := poured.Load(); n > test.most {
				t.Errorf("%d bytes were taken", n)
			}
		})
	}
}

// pour opens a server that answers every request with a beginning and then without end. It counts what is taken.
func pour(t *testing.T, begin string) (address string, poured *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	poured = &atomic.Int64{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				_ = conn.(*net.TCPConn).SetWriteBuffer(1 << 16)
				_, err := bufio.NewReader(conn).ReadString('\n')
				for text := begin; err == nil; text = strings.Repeat("x", 1<<16) {
					var n int
					n, err = conn.Write([]byte(text))
					poured.Add(int64(n))
				}
			}()
		}
	}()
	return listener.Addr().String(), poured
}
