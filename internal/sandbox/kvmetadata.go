package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of custom_metadata in KV version 2.
const (
	kvMaxCustom      = 64
	kvMaxCustomKey   = 128
	kvMaxCustomValue = 512
)

// metadata serves the side of a key that has no versions. k.mu is held.
func (k *KV) metadata(q kvRequest, m *kvMount, path string) kvReply {
	key := m.keys[path]
	switch {
	case q.method == "LIST":
		return m.list(path)
	case q.method == http.MethodPut:
		if key == nil {
			key = &kvKey{versions: map[int]*kvVersion{}, created: k.now().UTC()}
			m.keys[path] = key
		}
		return key.rewrite(q.body)
	case key == nil && q.method == http.MethodDelete:
		return kvDone()
	case key == nil:
		return kvFail(http.StatusNotFound)
	case q.method == http.MethodGet:
		return kvData(http.StatusOK, key.metadata())
	case q.method == http.MethodPatch:
		return key.patch(q.body)
	case q.method == http.MethodDelete:
		delete(m.keys, path)
		return kvDone()
	}
	return kvFail(http.StatusMethodNotAllowed, "1 error occurred:\n\t* unsupported operation\n\n")
}

func (key *kvKey) metadata() map[string]any {
	versions := map[string]any{}
	for number, v := range key.versions {
		versions[strconv.Itoa(number)] = map[string]any{
			"created_time": kvStamp(v.created), "deletion_time": kvStamp(v.deleted), "destroyed": v.destroyed,
		}
	}
	return map[string]any{
		"versions": versions, "current_version": key.current, "oldest_version": key.oldest(),
		"created_time": kvStamp(key.created), "updated_time": kvStamp(key.updated),
		"max_versions": key.maxVersions, "cas_required": key.casRequired,
		"delete_version_after": key.deleteAfter.String(), "custom_metadata": key.custom,
	}
}

// rewrite sets what the body names. custom_metadata replaces all that was there.
func (key *kvKey) rewrite(body map[string]json.RawMessage) kvReply {
	next := *key
	for name, raw := range body {
		var err error
		switch name {
		case "max_versions":
			err = json.Unmarshal(raw, &next.maxVersions)
		case "cas_required":
			err = json.Unmarshal(raw, &next.casRequired)
		case "delete_version_after":
			next.deleteAfter, err = kvDuration(raw)
		case "custom_metadata":
			next.custom = nil
			err = json.Unmarshal(raw, &next.custom)
		}
		if err != nil {
			return kvFail(http.StatusBadRequest, "error converting input for field "+strconv.Quote(name))
		}
	}
	return key.adopt(next)
}

// patch merges custom_metadata; a null removes a key (RFC 7396).
func (key *kvKey) patch(body map[string]json.RawMessage) kvReply {
	var change map[string]*string
	if raw := body["custom_metadata"]; raw != nil && json.Unmarshal(raw, &change) != nil {
		return kvFail(http.StatusBadRequest, "custom_metadata validation failed")
	}
	next := *key
	next.custom = maps.Clone(key.custom)
	if next.custom == nil {
		next.custom = map[string]string{}
	}
	for name, value := range change {
		if value == nil {
			delete(next.custom, name)
			continue
		}
		next.custom[name] = *value
	}
	return key.adopt(next)
}

func (key *kvKey) adopt(next kvKey) kvReply {
	if len(next.custom) > kvMaxCustom {
		return kvFail(http.StatusBadRequest, "custom_metadata validation failed")
	}
	for name, value := range next.custom {
		if name == "" || len(name) > kvMaxCustomKey || len(value) > kvMaxCustomValue {
			return kvFail(http.StatusBadRequest, "custom_metadata validation failed")
		}
	}
	*key = next
	return kvDone()
}

func kvDuration(raw json.RawMessage) (time.Duration, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return time.ParseDuration(text)
	}
	var seconds int
	err := json.Unmarshal(raw, &seconds)
	return time.Duration(seconds) * time.Second, err
}

func (m *kvMount) list(folder string) kvReply {
	if folder = strings.Trim(folder, "/"); folder != "" {
		folder += "/"
	}
	names := map[string]bool{}
	for path := range m.keys {
		if rest, below := strings.CutPrefix(path, folder); below {
			name, _, deeper := strings.Cut(rest, "/")
			if deeper {
				name += "/"
			}
			names[name] = true
		}
	}
	if len(names) == 0 {
		return kvFail(http.StatusNotFound)
	}
	return kvData(http.StatusOK, map[string]any{"keys": slices.Sorted(maps.Keys(names))})
}
