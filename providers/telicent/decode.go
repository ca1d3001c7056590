package telicent

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// paths says where each value may stand: dotted paths, the first that leads to a value of the right type wins. Names
// are compared without case, "_" and "-", so that clientSecret also finds client_secret.
type paths struct {
	secret, created, expires          []string
	previousCreated, previousExpires  []string
	required, hasCurrent, hasPrevious []string
}

// paths puts what is configured in the place of the usual names.
func (s *Settings) paths() paths {
	or := func(configured string, usual ...string) []string {
		if configured != "" {
			return []string{configured}
		}
		return usual
	}
	return paths{
		secret: or(s.SecretPath, "secret", "clientSecret", "value", "plaintext", "newSecret", "secretValue",
			"current.secret", "secret.value", "data.secret"),
		created: or(s.CreatedPath, "current.createdAt", "currentSecretCreatedAt", "secretCreatedAt",
			"currentCreatedAt", "current.issuedAt", "secretIssuedAt", "secret.createdAt", "createdAt", "issuedAt"),
		expires: or(s.ExpiresPath, "current.expiresAt", "currentSecretExpiresAt", "secretExpiresAt",
			"currentExpiresAt", "clientSecretExpiresAt", "secret.expiresAt", "expiresAt"),
		previousCreated: or(s.PreviousCreatedPath, "previous.createdAt", "previousSecretCreatedAt",
			"previousCreatedAt", "previous.issuedAt"),
		previousExpires: or(s.PreviousExpiresPath, "previous.expiresAt", "previousSecretExpiresAt",
			"previousExpiresAt", "previous.validUntil", "previousValidUntil"),
		required:    or(s.RequiredPath, "rotationRequired", "current.rotationRequired", "secret.rotationRequired"),
		hasCurrent:  []string{"hasSecret", "hasCurrentSecret", "current"},
		hasPrevious: []string{"hasPreviousSecret", "previous"},
	}
}

// created is the reply of issue and rotate.
type created struct {
	secret          credential.Sensitive
	start, expires  time.Time
	previousExpires time.Time
}

var errNoPlaintext = errors.New("the reply has no plaintext under any usual name; set secret_path and retry")

// reply reads the answer of issue and rotate. Only the plaintext is indispensable.
func (p paths) reply(raw credential.Sensitive) (created, error) {
	var body any
	if err := httpapi.Unmarshal(raw, &body); err != nil {
		return created{}, err
	}
	secret := text(body, p.secret)
	if secret == "" {
		return created{}, errNoPlaintext
	}
	return created{
		secret: credential.NewSensitive(secret), start: moment(body, p.created), expires: moment(body, p.expires),
		previousExpires: moment(body, p.previousExpires),
	}, nil
}

var errNoStatus = errors.New("the status has no date under any usual name; set created_path and expires_path")

// status reads the answer to a question for metadata. An answer in which nothing at all is recognised is an error: to
// take it for "no secret" would be a guess.
func (p paths) status(body any) (status, error) {
	s := status{required: is(body, p.required, true)}
	current := slot{start: moment(body, p.created), expires: moment(body, p.expires)}
	previous := slot{start: moment(body, p.previousCreated), expires: moment(body, p.previousExpires)}
	if current.known() || present(body, p.hasCurrent) {
		s.current = &current
	}
	if previous.known() || present(body, p.hasPrevious) {
		s.previous = &previous
	}
	if s.current == nil && !absent(body, p.hasCurrent) && !absent(body, p.created) && !absent(body, p.expires) {
		return status{}, errNoStatus
	}
	return s, nil
}

// lookup follows a dotted path.
func lookup(body any, path string) (value any, found bool) {
	value = body
	for name := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, found = member(object, name); !found {
			return nil, false
		}
	}
	return value, true
}

// member returns a member by its exact name, else by the first one that reads the same.
func member(object map[string]any, name string) (any, bool) {
	if value, ok := object[name]; ok {
		return value, true
	}
	found := ""
	for key := range object {
		if plain(key) == plain(name) && (found == "" || key < found) {
			found = key
		}
	}
	value, ok := object[found]
	return value, ok && plain(found) == plain(name)
}

// separators is made once: making one costs more than using it, and a reply asks for dozens of names.
var separators = strings.NewReplacer("_", "", "-", "")

func plain(name string) string {
	return strings.ToLower(separators.Replace(name))
}

func text(body any, names []string) string {
	for _, path := range names {
		if value, ok := lookup(body, path); ok {
			if s, ok := value.(string); ok && s != "" {
				return s
			}
		}
	}
	return ""
}

// is says whether the first of these that is a boolean has this value.
func is(body any, names []string, want bool) bool {
	for _, path := range names {
		if value, ok := lookup(body, path); ok {
			if b, ok := value.(bool); ok {
				return b == want
			}
		}
	}
	return false
}

// present says that one of these is true, or an object with something in it.
func present(body any, names []string) bool {
	for _, path := range names {
		value, _ := lookup(body, path)
		if object, ok := value.(map[string]any); ok && len(object) > 0 {
			return true
		}
	}
	return is(body, names, true)
}

// absent says that one of these is stated to be nothing: null, false or an empty object.
func absent(body any, names []string) bool {
	for _, path := range names {
		value, found := lookup(body, path)
		object, isObject := value.(map[string]any)
		if found && (value == nil || value == false || (isObject && len(object) == 0)) {
			return true
		}
	}
	return false
}

func moment(body any, names []string) time.Time {
	for _, path := range names {
		if value, ok := lookup(body, path); ok {
			if t := instant(value); !t.IsZero() {
				return t
			}
		}
	}
	return time.Time{}
}

// Bounds of times that are believed. Outside them a number is no time, or a date means "none".
const (
	earliest   = 946684800   // 2000-01-01, in seconds
	latest     = 32503680000 // 3000-01-01, in seconds; larger numbers are milliseconds
	zoneless   = "2006-01-02T15:04:05.999999999"
	thousandth = 1000
)

// instant reads a time: RFC 3339, the same without a zone (taken as UTC), or a number of seconds or milliseconds since
// 1970. Zero = it is none of these.
func instant(value any) time.Time {
	var t time.Time
	switch v := value.(type) {
	case string:
		var err error
		if t, err = time.Parse(time.RFC3339Nano, v); err != nil {
			if t, err = time.Parse(zoneless, v); err != nil {
				return time.Time{}
			}
		}
	case float64:
		if v >= latest {
			v /= thousandth
		}
		if !(v >= earliest && v < latest) {
			return time.Time{}
		}
		whole, part := math.Modf(v)
		t = time.Unix(int64(whole), int64(part*float64(time.Second)))
	}
	if t.Unix() < earliest || t.Unix() >= latest {
		return time.Time{}
	}
	return t.UTC()
}
