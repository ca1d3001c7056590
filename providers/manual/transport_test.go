package manual_test

import (
	"io"
	"net/http"
	"strings"
)

// oneAnswer is a transport that always answers the same.
type oneAnswer struct {
	status int
	body   string
}

func (o oneAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: o.status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(o.body)), Request: r,
	}, nil
}
