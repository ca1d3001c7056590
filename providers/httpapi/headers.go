package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Bounds of a wait that a server asks for.
const (
	minAfter     = time.Second
	maxAfter     = time.Hour
	defaultAfter = time.Minute // it names a moment, and nothing says what time it has
)

// retryAfter reads how long a server asks to wait: Retry-After in seconds or as a date (RFC 9110 section 10.2.3), else the moment
// in X-Rate-Limit-Reset or X-RateLimit-Reset in epoch seconds (Okta, Auth0). Moments are compared with the server's own clock. 0 = it
// does not ask.
func retryAfter(h http.Header, serverTime time.Time) time.Duration {
	if value := strings.TrimSpace(h.Get("Retry-After")); value != "" {
		if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
			return clamp(seconds)
		}
		if moment, err := http.ParseTime(value); err == nil {
			return until(moment, serverTime)
		}
	}
	for _, name := range []string{"X-Rate-Limit-Reset", "X-RateLimit-Reset"} {
		if epoch, err := strconv.ParseInt(strings.TrimSpace(h.Get(name)), 10, 64); err == nil && epoch > 0 {
			return until(time.Unix(epoch, 0), serverTime)
		}
	}
	return 0
}

func until(moment, serverTime time.Time) time.Duration {
	if serverTime.IsZero() {
		return defaultAfter
	}
	return clamp(moment.Unix() - serverTime.Unix())
}

func clamp(seconds int64) time.Duration {
	seconds = max(seconds, int64(minAfter/time.Second))
	seconds = min(seconds, int64(maxAfter/time.Second))
	return time.Duration(seconds) * time.Second
}

// requestID returns the server's name of a call, from the headers that are in use.
func requestID(h http.Header) string {
	for _, name := range []string{
		"Request-Id", "X-Request-Id", "X-Ms-Request-Id", "X-Okta-Request-Id", "X-Amzn-Requestid",
		"X-Correlation-Id", "Client-Request-Id", "X-Trace-Id", "Cf-Ray",
	} {
		switch id := h.Get(name); {
		case len(id) > maxID: // no name: a server that repeats its reply here would carry a secret into errors and logs
			return ""
		case id != "":
			return cleanID(id)
		}
	}
	return ""
}

var notID = regexp.MustCompile(`[^A-Za-z0-9._:/+=-]`)

const maxID = 80

func cleanID(id string) string {
	id = notID.ReplaceAllString(id, "")
	return id[:min(len(id), maxID)]
}

// Code returns the error code in the body in one of the usual forms, "" if there is none: {"error": CODE},
// {"error": {"code": CODE}}, {"code": CODE}, {"errorCode": CODE}.
func (r *Response) Code() string {
	if r.Status/100 == 2 {
		return ""
	}
	return errorCode(r.raw.Reveal())
}

func errorCode(body string) string {
	var form struct {
		Error     json.RawMessage `json:"error"`
		Code      json.RawMessage `json:"code"`
		ErrorCode json.RawMessage `json:"errorCode"`
	}
	if json.Unmarshal([]byte(body), &form) != nil {
		return ""
	}
	var nested struct {
		Code json.RawMessage `json:"code"`
	}
	if json.Unmarshal(form.Error, &nested) == nil && nested.Code != nil {
		return text(nested.Code)
	}
	for _, raw := range []json.RawMessage{form.Error, form.Code, form.ErrorCode} {
		if found := text(raw); found != "" {
			return found
		}
	}
	return ""
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return code(s)
}

// codeForm is what error codes look like: words of letters, joined by punctuation, a number at the very end at most.
// Anything else in that place could be a piece of a secret and is dropped.
var codeForm = regexp.MustCompile(`^[A-Za-z]+(?:[_.:-][A-Za-z]+)*[0-9]{0,8}$`)

const maxCode = 64

func code(s string) string {
	if len(s) > maxCode || !codeForm.MatchString(s) {
		return ""
	}
	return s
}

// ErrRedirect is the cause of an error whose reply was a redirect. Redirects are never followed.
var ErrRedirect = errors.New("the server redirects, and redirects are not followed")

func redirected(h http.Header) error {
	target, err := url.Parse(h.Get("Location"))
	if err != nil || target.Host == "" {
		return ErrRedirect
	}
	return fmt.Errorf("%w (to %s://%s)", ErrRedirect, cleanID(target.Scheme), cleanID(target.Host))
}
