package sandbox

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// PathDexToken is the path of the token endpoint of a stand-in for Dex.
const PathDexToken = "/dex/token"

// Dex is a stand-in for Dex, made like the real one, which the tests against real servers ask as well: its gRPC API, which shows a client's
// secret, creates and deletes, and changes no secret; and its token endpoint. gRPC needs HTTP/2: without TLS the server has to take
// that as well. It keeps clear values. It is safe for concurrent use.
type Dex struct {
	now  func() time.Time
	made func(string)

	mu      sync.Mutex
	clients map[string]dexClient
	static  map[string]bool
	creates map[string]int
}

// dexClient is a client as it came: every field, known or not.
type dexClient struct {
	secret string
	raw    []byte
}

// NewDex returns a server without clients. now is its clock, and made is told of every secret that is set; nil = nobody.
func NewDex(now func() time.Time, made func(string)) *Dex {
	return &Dex{now: now, made: made, clients: map[string]dexClient{}, static: map[string]bool{}, creates: map[string]int{}}
}

// DexRegistration is a client as somebody registers it.
type DexRegistration struct {
	ID, Secret string
	Name       string
	Public     bool
	Static     bool   // it stands in the server's own configuration, where no call changes it
	Newer      string // in a field that nobody here knows
}

// Register adds a client. ErrDuplicate: its id is taken.
func (d *Dex) Register(c DexRegistration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, taken := d.clients[c.ID]; taken {
		return fmt.Errorf("registering %q: %w", c.ID, ErrDuplicate)
	}
	const redirects, public, name, newer = 3, 5, 6, 2000
	raw := protoText(protoText(protoText(nil, 1, c.ID), 2, c.Secret), redirects, "https://example.com/callback")
	raw = protoText(protoText(raw, name, c.Name), newer, c.Newer)
	if c.Public {
		raw = append(raw, public<<3, 1)
	}
	d.clients[c.ID] = dexClient{secret: c.Secret, raw: raw}
	d.static[c.ID] = c.Static
	return nil
}

// Forget deletes a client, as somebody else would.
func (d *Dex) Forget(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.clients, id)
}

// Made returns how often a client was made since it was registered.
func (d *Dex) Made(id string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.creates[id]
}

// Clients returns the ids of all clients.
func (d *Dex) Clients() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for id := range d.clients {
		all = append(all, id)
	}
	return all
}

// Holds says whether a client has a field with this text.
func (d *Dex) Holds(id, text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Contains(string(d.clients[id].raw), text)
}

// Accepts says whether a login with this secret would succeed now.
func (d *Dex) Accepts(id, secret string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.clients[id]
	return ok && c.secret == secret
}

// Handler serves the API and the token endpoint.
func (d *Dex) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api.Dex/{method}", d.call)
	mux.HandleFunc("POST "+PathDexToken, d.login)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", d.now().UTC().Format(http.TimeFormat))
		d.mu.Lock()
		defer d.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

// grpcHead is how many bytes stand before a message.
const grpcHead = 5

// Codes of gRPC.
const (
	grpcOK            = 0
	grpcUnknown       = 2
	grpcUnimplemented = 12
)

func (d *Dex) call(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil || r.ProtoMajor < 2 || len(body) < grpcHead || int(binary.BigEndian.Uint32(body[1:])) != len(body)-grpcHead {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	message, code, said := d.answer(r.PathValue("method"), body[grpcHead:])
	w.Header().Set("Content-Type", "application/grpc")
	if code != grpcOK { // an answer without a message has all in its headers
		w.Header().Set("Grpc-Status", strconv.Itoa(code))
		w.Header().Set("Grpc-Message", said)
		return
	}
	head := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))) //nolint:gosec // one client
	_, _ = w.Write(append(head, message...))
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
}

func (d *Dex) answer(method string, request []byte) (message []byte, code int, said string) {
	id := protoField(request, 1)
	switch c, known := d.clients[id]; method {
	case "GetClient":
		if !known {
			return nil, grpcUnknown, "not found"
		}
		return protoText(nil, 1, string(c.raw)), grpcOK, ""
	case "ListClients":
		return d.list(), grpcOK, ""
	case "CreateClient":
		return d.create(id) // the message's first field is the client here
	case "DeleteClient":
		switch {
		case !known:
			return []byte{1 << 3, 1}, grpcOK, ""
		case d.static[id]:
			return nil, grpcUnknown, "delete client: static clients: read-only cannot delete client"
		}
		delete(d.clients, id)
		return nil, grpcOK, ""
	}
	return nil, grpcUnimplemented, "unknown method " + method
}

// list shows all clients without their secrets, in an order that is another one each time.
func (d *Dex) list() (message []byte) {
	for id, c := range d.clients {
		const public, name, listedPublic, listedName = 5, 6, 4, 5
		one := protoText(nil, 1, id)
		if protoFlag(c.raw, public) {
			one = append(one, listedPublic<<3, 1)
		}
		message = protoText(message, 1, string(protoText(one, listedName, protoField(c.raw, name))))
	}
	return message
}

func (d *Dex) create(raw string) (message []byte, code int, said string) {
	id, secret := protoField([]byte(raw), 1), protoField([]byte(raw), 2)
	if _, taken := d.clients[id]; taken {
		return []byte{1 << 3, 1}, grpcOK, ""
	}
	d.clients[id] = dexClient{secret: told(d.made, secret), raw: []byte(raw)}
	d.creates[id]++
	return protoText(nil, 2, raw), grpcOK, ""
}

// login is the token endpoint, which looks at the client before it looks at the code.
func (d *Dex) login(w http.ResponseWriter, r *http.Request) {
	id, secret, _, problem := credentials(w, r)
	c, known := d.clients[id]
	switch {
	case problem != "":
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
	case !known, c.secret != secret:
		refuse(w, http.StatusUnauthorized, "invalid_client", "Invalid client credentials.")
	case r.PostForm.Get("grant_type") != "authorization_code":
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "")
	default:
		refuse(w, http.StatusBadRequest, "invalid_grant", "Invalid or expired code parameter.")
	}
}

// protoText adds a field of text to a message; none for an empty one, as protobuf has it.
func protoText(message []byte, number uint64, value string) []byte {
	if value == "" {
		return message
	}
	const bytes = 2
	message = binary.AppendUvarint(message, number<<3|bytes)
	message = binary.AppendUvarint(message, uint64(len(value)))
	return append(message, value...)
}

// protoFlag says whether a message of such fields and booleans has a true boolean with this number.
func protoFlag(message []byte, number uint64) bool {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		value, m := binary.Uvarint(message[max(n, 0):])
		if n <= 0 || m <= 0 {
			return false
		}
		message = message[n+m:]
		switch {
		case tag&7 == 0 && tag>>3 == number:
			return value != 0
		case tag&7 == 0:
		case value > uint64(len(message)):
			return false
		default:
			message = message[value:]
		}
	}
	return false
}

// protoField returns the first field of text with this number in a message of such fields and booleans.
func protoField(message []byte, number uint64) string {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		length, m := binary.Uvarint(message[max(n, 0):])
		if n <= 0 || m <= 0 {
			return ""
		}
		message = message[n+m:]
		if tag&7 == 0 {
			continue
		}
		if length > uint64(len(message)) {
			return ""
		}
		if tag>>3 == number {
			return string(message[:length])
		}
		message = message[length:]
	}
	return ""
}
