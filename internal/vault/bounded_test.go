package vault_test

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
)

// A Vault, or whoever stands in its place, that never ends its answer must not fill the memory until the deadline. The
// buffers of sockets take some megabytes beyond the limit.
func TestAnAnswerWithoutEndIsCutOff(t *testing.T) {
	for name, test := range map[string]struct {
		begin string
		most  int64
	}{
		"header": {"HTTP/1.1 200 OK\r\nX-Long: ", 8 << 20},
		"body":   {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"data\":{\"id\":\"", 14 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, poured := pour(t, test.begin)
			settings := vault.Settings{
				Address: "http://" + address, Timeout: 20 * time.Second, Auth: vault.Auth{TokenFile: file(t, "token-"+vaulttest.Canary)},
			}
			client, err := vault.Open(settings, vaulttest.Clock(), nil)
			if err != nil {
				t.Fatal(err)
			}
			err = client.Login(t.Context())
			var failed *vault.Error
			if !errors.As(err, &failed) || strings.Contains(err.Error(), "xxxx") {
				t.Errorf("an answer without end gives %v", err)
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
