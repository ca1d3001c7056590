package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signature is what stands in the Authorization header of a request to AWS
// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html).
type signature struct {
	key                   string // id of the access key
	date, region, service string
	headers               []string // names of those that were signed
	value                 string
	at                    time.Time
}

const (
	awsAlgorithm = "AWS4-HMAC-SHA256"
	awsTime      = "20060102T150405Z"
	awsEnd       = "aws4_request"
)

func parseSignature(r *http.Request) (s signature, ok bool) {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), awsAlgorithm+" ")
	if !ok {
		return s, false
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			s.scope(value)
		case "SignedHeaders":
			s.headers = strings.Split(value, ";")
		case "Signature":
			s.value = value
		}
	}
	at, err := time.Parse(awsTime, r.Header.Get("X-Amz-Date"))
	s.at = at
	return s, err == nil && s.date == at.Format("20060102") && s.covers(r)
}

// scope reads key/date/region/service/aws4_request. What is none leaves the signature without a key and a date.
func (s *signature) scope(text string) {
	if parts := strings.Split(text, "/"); len(parts) == 5 && parts[4] == awsEnd {
		s.key, s.date, s.region, s.service = parts[0], parts[1], parts[2], parts[3]
	}
}

// covers says whether everything was signed that has to be: the host, and every header of AWS's own.
func (s signature) covers(r *http.Request) bool {
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.headers, name) {
			return false
		}
	}
	return slices.Contains(s.headers, "host") && slices.Contains(s.headers, "x-amz-date")
}

// madeWith says whether this secret makes the same signature of this request.
func (s signature) madeWith(secret string, r *http.Request, body []byte) bool {
	var lines strings.Builder
	for _, name := range s.headers {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		lines.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	canonical := strings.Join([]string{
		r.Method, r.URL.EscapedPath(), r.URL.RawQuery, lines.String(), strings.Join(s.headers, ";"), hexSum(body),
	}, "\n")
	scope := strings.Join([]string{s.date, s.region, s.service, awsEnd}, "/")
	text := strings.Join([]string{awsAlgorithm, s.at.Format(awsTime), scope, hexSum([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, awsEnd} {
		key = mac(key, part)
	}
	return hmac.Equal([]byte(hex.EncodeToString(mac(key, text))), []byte(s.value))
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
