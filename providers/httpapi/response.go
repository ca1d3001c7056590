package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Response is a reply, read whole (or up to the limit). Its body may hold clear secrets, so it is never printed.
type Response struct {
	Status    int
	Header    http.Header
	Trailer   http.Header // of HTTP/2, after the body
	RequestID string      // the server's name of this call; empty = it gave none
	Time      time.Time   // the server's clock; zero = it does not say

	client  *Client
	request Request
	raw     credential.Sensitive
	broken  error // the body broke off or was cut; nil = whole
	echoes  bool  // its error code holds a piece of what was sent
}

// Raw returns the body as it came. It may be called on nil and is then empty.
func (r *Response) Raw() credential.Sensitive {
	if r == nil {
		return credential.Sensitive{}
	}
	return r.raw
}

var (
	errTooLarge    = errors.New("the reply is larger than the limit")
	errNotJSON     = errors.New("the reply is not JSON")
	errHTML        = errors.New("the reply is a web page where JSON was expected: a proxy or a login page answered")
	errEmpty       = errors.New("the reply is empty where JSON was expected")
	errErrorInside = errors.New("the reply reports an error although its status says success")
	errMissing     = errors.New("the reply lacks the value that was asked for")
)

// Decode reads the body as one JSON document into out. Its error is a *providers.Error: ClassNotUnderstood after a
// request that changes something (it has happened), ClassUnavailable after a read.
func (r *Response) Decode(out any) error {
	if err := r.wellFormed(); err != nil {
		return r.unreadable(err)
	}
	if err := Unmarshal(r.raw, out); err != nil {
		return r.unreadable(err)
	}
	return nil
}

// Missing is the error of a reply that was read but lacks what it is for. What names the missing part for people.
func (r *Response) Missing(what string) error {
	return r.unreadable(fmt.Errorf("%w: %s", errMissing, what))
}

// Failed is the error of a reply whose class only the adapter can tell. The cause must be free of bodies and secrets.
func (r *Response) Failed(class providers.Class, cause error) error {
	return r.client.fail(r.request, class, r, cause)
}

func (r *Response) unreadable(cause error) error {
	class := providers.ClassUnavailable
	if r.request.Mutates {
		class = providers.ClassNotUnderstood
	}
	return r.client.fail(r.request, class, r, cause)
}

// wellFormed looks for replies that are no answer of the API although the status says so.
func (r *Response) wellFormed() error {
	body := strings.TrimSpace(r.raw.Reveal())
	switch mediaType := mediaType(r.Header); {
	case body == "":
		return errEmpty
	case strings.HasPrefix(body, "<") || mediaType == "text/html":
		return errHTML
	case mediaType != "" && !isJSON(mediaType):
		return errNotJSON
	}
	if errorInside(body) {
		return errErrorInside
	}
	return nil
}

func mediaType(h http.Header) string {
	parsed, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return strings.ToLower(strings.TrimSpace(h.Get("Content-Type")))
	}
	return parsed
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}

// errorInside says whether a JSON object reports an error: a member "error" or "errors" that is not empty.
func errorInside(body string) bool {
	var probe map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &probe) != nil {
		return false
	}
	for _, name := range []string{"error", "errors"} {
		switch string(bytes.TrimSpace(probe[name])) {
		case "", "null", `""`, "[]", "{}", "false", "0":
		default:
			return true
		}
	}
	return false
}

// Unmarshal decodes exactly one JSON document. Its error says where and what kind of thing was wrong and, unlike the
// ones of encoding/json, repeats nothing of the text.
func Unmarshal(raw credential.Sensitive, out any) error {
	d := json.NewDecoder(strings.NewReader(raw.Reveal()))
	if err := d.Decode(out); err != nil {
		return jsonError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the document", errNotJSON)
	}
	return nil
}

func jsonError(err error) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return fmt.Errorf("%w as expected: %s is not a %s", errNotJSON, cleanField(wrongType.Field), wrongType.Type)
	case errors.As(err, &wrongType):
		return fmt.Errorf("%w as expected: the document is not a %s", errNotJSON, wrongType.Type.Kind())
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: it is malformed at byte %d", errNotJSON, syntax.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it breaks off", errNotJSON)
	default:
		return errNotJSON
	}
}

// cleanField keeps the path of a field only if it consists of our own field names; keys of maps come from the body.
func cleanField(field string) string {
	if code(field) == "" {
		return "a field"
	}
	return field
}
