package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// secret serves what lies in a mount. k.mu is held.
func (k *KV) secret(q kvRequest) kvReply {
	name, rest, m := k.mountOf(q.path)
	if m == nil {
		if !q.token.root() {
			return kvFail(http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n")
		}
		return kvFail(http.StatusNotFound, `no handler for route "`+q.path+`". route entry not found.`)
	}
	if !q.token.may(q.path, q.right(m, rest)) {
		return kvFail(http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n")
	}
	if m.version == 1 {
		return k.plain(q, m, rest)
	}
	side, path, _ := strings.Cut(rest, "/")
	switch {
	case side == "data":
		return k.data(q, name, m, path)
	case side == "metadata":
		return k.metadata(q, m, path)
	case q.method == http.MethodPut && slices.Contains([]string{"delete", "undelete", "destroy"}, side):
		return k.change(q, m, side, path)
	case side == "config" && q.method == http.MethodGet:
		return kvData(http.StatusOK, map[string]any{"cas_required": false, "delete_version_after": "0s", "max_versions": 0})
	}
	return kvFail(http.StatusNotFound, "unsupported path")
}

func (k *KV) mountOf(path string) (name, rest string, m *kvMount) {
	for at := len(path); at > 0; at = strings.LastIndexByte(path[:at], '/') {
		if m := k.mounts[path[:at]]; m != nil {
			return path[:at], strings.TrimPrefix(path[at:], "/"), m
		}
	}
	return "", "", nil
}

// plain serves KV version 1, which takes any path and knows no versions.
func (k *KV) plain(q kvRequest, m *kvMount, path string) kvReply {
	switch q.method {
	case http.MethodPut:
		raw, err := json.Marshal(q.body)
		if err != nil {
			return kvFail(http.StatusBadRequest, "error parsing JSON")
		}
		m.keys[path] = &kvKey{current: 1, versions: map[int]*kvVersion{1: {number: 1, data: raw}}}
		return kvDone()
	case http.MethodGet:
		if key := m.keys[path]; key != nil {
			return kvData(http.StatusOK, key.versions[1].data)
		}
	}
	return kvFail(http.StatusNotFound)
}

func (k *KV) data(q kvRequest, name string, m *kvMount, path string) kvReply {
	key := m.keys[path]
	switch q.method {
	case http.MethodGet:
		return k.readData(q, name, key)
	case http.MethodPut:
		return k.writeData(q, name, m, path)
	case http.MethodDelete:
		if key != nil {
			key.remove(k.now(), key.current)
		}
		return kvDone()
	}
	return kvFail(http.StatusMethodNotAllowed, "1 error occurred:\n\t* unsupported operation\n\n")
}

func (k *KV) readData(q kvRequest, mount string, key *kvKey) kvReply {
	if key == nil {
		return kvFail(http.StatusNotFound)
	}
	number := key.current
	if asked, err := strconv.Atoi(q.query("version")); err == nil && asked > 0 {
		number = asked
	}
	v := key.versions[number]
	if v == nil {
		return kvFail(http.StatusNotFound)
	}
	if v.gone(k.now()) {
		return kvData(http.StatusNotFound, kvRead{Metadata: key.describe(v)})
	}
	k.audited(q, mount, v)
	return kvData(http.StatusOK, kvRead{v.data, key.describe(v)})
}

func (k *KV) writeData(q kvRequest, name string, m *kvMount, path string) kvReply {
	raw, ok := q.body["data"]
	if !ok || path == "" || len(raw) == 0 || raw[0] != '{' {
		return kvFail(http.StatusBadRequest, "no data provided")
	}
	var options struct {
		CAS *int `json:"cas"`
	}
	if text := q.body["options"]; text != nil && json.Unmarshal(text, &options) != nil {
		return kvFail(http.StatusBadRequest, "error parsing check-and-set parameter")
	}
	current, required := 0, false
	if key := m.keys[path]; key != nil {
		current, required = key.current, key.casRequired
	}
	switch {
	case options.CAS == nil && required:
		return kvFail(http.StatusBadRequest, "check-and-set parameter required for this call")
	case options.CAS != nil && *options.CAS != current:
		return kvFail(http.StatusBadRequest, "check-and-set parameter did not match the current version")
	}
	v := k.store(name, m, path, raw)
	return kvData(http.StatusOK, m.keys[path].describe(v))
}

// kvRead is what a read of a version answers.
type kvRead struct {
	Data     json.RawMessage `json:"data"` // nil = null
	Metadata kvAbout         `json:"metadata"`
}

// kvAbout describes a version.
type kvAbout struct {
	Created   string            `json:"created_time"`
	Custom    map[string]string `json:"custom_metadata"`
	Deletion  string            `json:"deletion_time"`
	Destroyed bool              `json:"destroyed"`
	Version   int               `json:"version"`
}

func (key *kvKey) describe(v *kvVersion) kvAbout {
	return kvAbout{kvStamp(v.created), key.custom, kvStamp(v.deleted), v.destroyed, v.number}
}

// change deletes, brings back or destroys versions by number. Versions that do not exist are skipped.
func (k *KV) change(q kvRequest, m *kvMount, how, path string) kvReply {
	var numbers []int
	if json.Unmarshal(q.body["versions"], &numbers) != nil || len(numbers) == 0 {
		return kvFail(http.StatusBadRequest, "no version number provided")
	}
	key := m.keys[path]
	if key == nil {
		return kvDone()
	}
	for _, number := range numbers {
		switch v := key.versions[number]; {
		case v == nil:
		case how == "delete":
			key.remove(k.now(), number)
		case how == "destroy":
			v.destroyed, v.data = true, nil
		case !v.destroyed:
			v.deleted = time.Time{}
		}
	}
	return kvDone()
}

// remove deletes a version so that it can be brought back. An earlier deletion keeps its time.
func (key *kvKey) remove(now time.Time, number int) {
	if v := key.versions[number]; v != nil && !v.gone(now) {
		v.deleted = now.UTC().Add(-time.Nanosecond) // it is gone from this instant on
	}
}
