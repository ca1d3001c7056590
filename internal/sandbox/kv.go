package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// KV is an HTTP server in memory that speaks the part of Vault's API that rotad uses, as Vault 1.21 speaks it: KV
// version 2, logins by token, AppRole, JWT and service account, sealing, health. Wrap it in Faults to make it fail. It begins unsealed, with a
// KV version 2 mount at "secret" and a root token.
//
//	request ─► sealed? ─► token ─► rights ─► sys | auth | mount ─► data, metadata, destroy, delete, undelete
//
// Other than the real server it hands numbers back the way they were written, where that one rounds them to the
// precision of a float64; a client that keeps what it has read is right with both.
type KV struct {
	now func() time.Time

	mu         sync.Mutex
	sealed     bool
	unseal     string
	root       string
	mounts     map[string]*kvMount // by path without slashes at its ends, below its namespace
	tokens     map[string]*kvToken
	roles      map[string]*kvRole              // by role id
	logins     map[string]map[string]KVJWTRole // by mount and name
	issuerLost bool
	writes     []KVWrite
	forget     bool
	told       func(KVWrite)
	audit      io.Writer // nil = there is no audit device
}

// KVWrite is one version that was written, in the order of writing.
type KVWrite struct {
	At      time.Time
	Mount   string
	Path    string
	Version int
	Data    map[string]any // numbers are json.Number
}

// NewKV returns a server that lives by the clock now.
func NewKV(now func() time.Time) *KV {
	return &KV{
		now: now, root: "root-" + rand.Text(), unseal: rand.Text(),
		mounts: map[string]*kvMount{"secret": newKVMount(2)},
		tokens: map[string]*kvToken{}, roles: map[string]*kvRole{}, logins: map[string]map[string]KVJWTRole{},
	}
}

// RootToken returns the token that may do everything and never ends.
func (k *KV) RootToken() string { return k.root }

// UnsealKey returns the key that sys/unseal takes.
func (k *KV) UnsealKey() string { return k.unseal }

// SetSealed seals or unseals the server. What is stored stays.
func (k *KV) SetSealed(sealed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sealed = sealed
}

// Mount adds an empty mount of KV version 1 or 2. A mount in a namespace has the namespace before its path.
func (k *KV) Mount(path string, version int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mounts[path] = newKVMount(version)
}

// Current returns the data of the current version of a key, and its number. Data is nil, with the number, where that
// version has been deleted or destroyed; the number is 0 where nothing has ever been written. Numbers are json.Number.
func (k *KV) Current(mount, path string) (map[string]any, int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := k.mounts[mount]
	if m == nil || m.keys[path] == nil {
		return nil, 0
	}
	key := m.keys[path]
	return key.versions[key.current].open(k.now()), key.current
}

// Put writes a version from outside, as somebody else would, and returns its number. A mount that does not exist is
// made.
func (k *KV) Put(mount, path string, data map[string]any) int {
	raw, err := json.Marshal(data)
	if err != nil {
		panic("sandbox: KV.Put: " + err.Error()) // a mistake in the program that calls it
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	m := k.mounts[mount]
	if m == nil {
		m = newKVMount(2)
		k.mounts[mount] = m
	}
	return k.store(mount, m, path, raw).number
}

// Writes returns every version that has been written since the start, or since Forget, whatever became of it.
func (k *KV) Writes() []KVWrite {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]KVWrite(nil), k.writes...)
}

// Forget stops the list that Writes returns and drops it, for runs so long that memory would fill with it.
func (k *KV) Forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writes, k.forget = nil, true
}

// OnWrite lets a function see every version when it is written, also after Forget. It must not call the server.
func (k *KV) OnWrite(f func(KVWrite)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.told = f
}

// kvRequest is one request after its envelope has been opened.
type kvRequest struct {
	method    string // GET, LIST, PUT (POST too), PATCH, DELETE
	path      string // below v1/
	namespace string // with a slash at its end; empty = root
	token     *kvToken
	body      map[string]json.RawMessage
	query     func(string) string
}

// kvReply is an answer: a status and what is encoded under it; nil = nothing.
type kvReply struct {
	status int
	body   any
}

const maxKVBody = 32 << 20 // Vault's own default

// ServeHTTP implements http.Handler.
func (k *KV) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxKVBody))
	if err != nil {
		answer(w, http.StatusRequestEntityTooLarge, kvErrors("http: request body too large"))
		return
	}
	k.mu.Lock()
	reply := k.serve(r, raw)
	w.Header().Set("Date", k.now().UTC().Format(http.TimeFormat))
	k.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	if reply.body == nil {
		w.WriteHeader(reply.status)
		return
	}
	answer(w, reply.status, reply.body)
}

func (k *KV) serve(r *http.Request, raw []byte) kvReply {
	q := kvRequest{method: kvMethod(r), query: r.URL.Query().Get}
	path, found := strings.CutPrefix(r.URL.Path, "/v1/")
	if !found {
		return kvFail(http.StatusNotFound)
	}
	if len(raw) > 0 && json.Unmarshal(raw, &q.body) != nil {
		return kvFail(http.StatusBadRequest, "error parsing JSON")
	}
	q.path = path
	if namespace := strings.Trim(r.Header.Get("X-Vault-Namespace"), "/"); namespace != "" {
		q.namespace = namespace + "/"
	}
	if reply, open := k.openPath(q); open {
		return reply
	}
	if k.sealed {
		return kvFail(http.StatusServiceUnavailable, "Vault is sealed")
	}
	if q.token = k.authenticate(r.Header.Get("X-Vault-Token")); q.token == nil {
		return kvFail(http.StatusForbidden, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")
	}
	if reply, mine := k.own(q); mine {
		return reply
	}
	q.path = q.namespace + path
	return k.secret(q)
}

// kvMethod folds the spellings that Vault takes for the same operation.
func kvMethod(r *http.Request) string {
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Get("list") == "true":
		return "LIST"
	case r.Method == http.MethodPost:
		return http.MethodPut
	}
	return r.Method
}

func kvErrors(texts ...string) map[string]any {
	if texts == nil {
		texts = []string{}
	}
	return map[string]any{"errors": texts}
}

// kvFail is an error the way Vault says it; without a text it is Vault's "there is nothing".
func kvFail(status int, texts ...string) kvReply { return kvReply{status, kvErrors(texts...)} }

// kvEnvelope is what every answer is wrapped in. It is no map, because a map costs as much to encode as all that is done
// for a request besides.
type kvEnvelope struct {
	Auth          any    `json:"auth"`
	Data          any    `json:"data"`
	LeaseDuration int    `json:"lease_duration"`
	LeaseID       string `json:"lease_id"`
	Renewable     bool   `json:"renewable"`
	RequestID     string `json:"request_id"`
	Warnings      any    `json:"warnings"`
	WrapInfo      any    `json:"wrap_info"`
}

// kvData wraps data in the envelope of every answer.
func kvData(status int, data any) kvReply {
	return kvReply{status, kvEnvelope{RequestID: rand.Text(), Data: data}}
}

func kvDone() kvReply { return kvReply{status: http.StatusNoContent} }
