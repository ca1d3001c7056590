package lightapi

import (
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// object is a JSON object.
type object = map[string]any

// nesting is how often a result may be a text that holds JSON: once at portals that are known, and once more.
const nesting = 2

var errNoObject = errors.New("a result that is an object")

// result takes the result out of its envelope: JSON-RPC or none, as an object or as a text that holds one.
func result(body any) (object, error) {
	if o, ok := body.(object); ok {
		if inner, enveloped := o["result"]; enveloped {
			body = inner
		}
	}
	for range nesting {
		text, ok := body.(string)
		if !ok {
			break
		}
		body = nil
		if err := httpapi.Unmarshal(credential.NewSensitive(text), &body); err != nil {
			return nil, errNoObject
		}
	}
	if o, ok := body.(object); ok {
		return o, nil
	}
	return nil, errNoObject
}

// client is what matters of a client in the portal.
type client struct {
	version   int64
	active    bool
	public    bool
	hasSecret bool
	position  string    // ownerPositionId; empty = none
	time      time.Time // the portal's clock; zero = not known
	marks     marks
}

// marks are what changes when the secret of a client does, and at no other time. Few portals show any of them; the
// verifier among them is no secret, and is kept no longer than one create takes.
type marks struct {
	version, at string
	verifier    credential.Sensitive
}

// same says whether both sides show at least one of the marks, and all that both show are equal.
func (m marks) same(o marks) bool {
	seen := false
	for _, pair := range [][2]string{
		{m.version, o.version}, {m.at, o.at}, {m.verifier.Reveal(), o.verifier.Reveal()},
	} {
		switch {
		case pair[0] == "" || pair[1] == "":
		case pair[0] != pair[1]:
			return false
		default:
			seen = true
		}
	}
	return seen
}

var (
	errNoVersion   = errors.New("the client has no aggregateVersion")
	errOtherClient = errors.New("the portal shows another client than was asked for")
	errNotListed   = errors.New("the client is not listed")
)

// readClient reads what the portal says of one client.
func readClient(o object, w who) (client, error) {
	if id, ok := o["clientId"].(string); ok && id != w.client {
		return client{}, errOtherClient
	}
	version, ok := whole(o["aggregateVersion"])
	if !ok {
		return client{}, errNoVersion
	}
	kind, _ := o["clientType"].(string)
	position, _ := o["ownerPositionId"].(string)
	verifier, _ := o["clientSecret"].(string)
	return client{
		version: version, position: position, public: kind == "public",
		active: o["active"] != false, hasSecret: o["hasClientSecret"] != false,
		marks: marks{
			version: name(o["secretVersion"]), at: name(o["secretUpdateTs"]), verifier: credential.NewSensitive(verifier),
		},
	}, nil
}

// readListed finds a client in a list.
func readListed(o object, w who) (client, error) {
	list, _ := o["clients"].([]any)
	for _, one := range list {
		if row, ok := one.(object); ok && row["clientId"] == w.client {
			return readClient(row, w)
		}
	}
	return client{}, errNotListed
}

// maxExact is the largest number up to which JSON numbers are exact.
const maxExact = 1 << 53

// whole reads a whole number that may be written as a text.
func whole(value any) (int64, bool) {
	switch v := value.(type) {
	case float64:
		return int64(v), v == math.Trunc(v) && v >= 0 && v <= maxExact
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil && n >= 0
	}
	return 0, false
}

// name reads a text or a number as a text.
func name(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}

var (
	errNoSecret = errors.New("the reply has no clientSecret")
	errForOther = errors.New("the reply is about another client")
)

// issued reads the reply of the command. Only the plaintext is indispensable.
func issued(raw credential.Sensitive, w who) (providers.Issued, error) {
	var body any
	if err := httpapi.Unmarshal(raw, &body); err != nil {
		return providers.Issued{}, err
	}
	o, err := result(body)
	if err != nil {
		return providers.Issued{}, errNoSecret
	}
	if id, ok := o["clientId"].(string); ok && id != w.client {
		return providers.Issued{}, errForOther
	}
	value, _ := o["clientSecret"].(string)
	if value == "" {
		return providers.Issued{}, errNoSecret
	}
	return providers.Issued{
		Secret: credential.Secret{Slot: providers.SlotCurrent, Start: moment(o["rotatedTs"]), Never: true},
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(w.client), credential.FieldClientSecret: credential.NewSensitive(value),
		},
	}, nil
}

// moment reads a time of RFC 3339; zero = it is none, or before 1970.
func moment(value any) time.Time {
	text, _ := value.(string)
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Unix() <= 0 {
		return time.Time{}
	}
	return t.UTC()
}
