package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Scope is what a signature is good for.
type Scope struct {
	Service string // iam, sts, cognito-idp
	Region  string // us-east-1
}

var errUnsigned = errors.New("the request cannot be signed")

// Sign returns the headers that a request with this method, address, headers and body is sent with: all of them are signed, and the
// signature and its time are added. The address has no query. Who adds others than these may, but none that begins with X-Amz.
func Sign(ctx context.Context, k Key, s Scope, at time.Time, method, address string, header http.Header, body string) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil || k.ID == "" || k.Secret.Empty() {
		return nil, errUnsigned // the cause may repeat the address
	}
	maps.Copy(req.Header, header)
	sum := sha256.Sum256([]byte(body))
	own := aws.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret.Reveal(), SessionToken: k.Session.Reveal()}
	// A signer keeps what it has derived from a key, and a client's key is to be kept nowhere: so it is a new one each time.
	if err = v4.NewSigner().SignHTTP(ctx, own, req, hex.EncodeToString(sum[:]), s.Service, s.Region, at); err != nil {
		return nil, errUnsigned
	}
	return req.Header, nil
}
