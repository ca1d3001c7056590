package dex_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// framed is a message as gRPC sends it.
func framed(message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
}

// says answers one method with a body and a success, and passes the others on.
func says(next http.RoundTripper, method string, body []byte, match func(*http.Request) bool) http.RoundTripper {
	return transport(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "/"+method) || match != nil && !match(r) {
			return next.RoundTrip(r)
		}
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/grpc"}}, Trailer: http.Header{"Grpc-Status": {"0"}},
			Body: io.NopCloser(bytes.NewReader(body)), Request: r,
		}, nil
	})
}

func seeds() [][]byte {
	client := append([]byte{1<<3 | 2, 7}, "billing"...)
	client = append(append(client, 2<<3|2, byte(len(mark))), mark...)
	inOne := append([]byte{1<<3 | 2, byte(len(client))}, client...)
	inTwo := append([]byte{2<<3 | 2, byte(len(client))}, client...)
	return [][]byte{
		framed(inOne), framed(inTwo), framed(nil), framed([]byte{1 << 3, 1}), framed([]byte(mark)), []byte("<html>" + mark), nil, framed(inOne)[:9],
		framed([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}), framed(append([]byte{1<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, mark...)),
	}
}

// What answers a look is this client, or an error that proves nothing and repeats nothing.
func FuzzShown(f *testing.F) {
	for _, body := range seeds() {
		f.Add(body)
	}
	s := newServer(f)
	through := lines(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		seen, err := s.open(t, says(through, "GetClient", body, nil)).Inspect(t.Context(), target("billing"))
		switch {
		case err == nil && (seen.ClientID != "billing" || len(seen.Secrets) != 1 || seen.Secrets[0].ID == ""):
			t.Errorf("%+v", seen)
		case err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)):
			t.Errorf("%v", err)
		}
	})
}

// What answers the create is a success, a client that was there, or a reply that is kept; and it can be read later or says so.
func FuzzMade(f *testing.F) {
	for _, body := range seeds() {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := newServer(t)
		p := s.open(t, says(lines(t), "CreateClient", body, makes))
		issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
		switch class := providers.ClassOf(err); {
		case err == nil && issued.Bundle.Secret().Empty():
			t.Error("a success without a secret")
		case class == providers.ClassNotUnderstood && issued.Raw.Reveal() != string(body):
			t.Error("the reply is lost")
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		}
		d, ok := p.(providers.Decoder)
		if !ok {
			t.Fatal("a stored reply cannot be read again")
		}
		again, failed := d.Decode(target("billing"), credential.NewSensitive(string(body)))
		if failed == nil && again.Bundle.Secret().Empty() || failed != nil && strings.Contains(failed.Error(), mark) {
			t.Errorf("%+v, %v", again.Secret, failed)
		}
	})
}
