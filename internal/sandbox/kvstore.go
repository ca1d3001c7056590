package sandbox

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// kvMaxVersions is how many versions Vault keeps of a key that says nothing else.
const kvMaxVersions = 10

type kvMount struct {
	version int
	keys    map[string]*kvKey
}

func newKVMount(version int) *kvMount { return &kvMount{version: version, keys: map[string]*kvKey{}} }

// kvKey is one key with its versions. Numbers are never used twice, whatever is deleted.
type kvKey struct {
	current     int
	versions    map[int]*kvVersion
	custom      map[string]string
	created     time.Time
	updated     time.Time
	maxVersions int
	casRequired bool
	deleteAfter time.Duration
}

type kvVersion struct {
	number    int
	created   time.Time
	deleted   time.Time // zero = not; in the future = it will be
	destroyed bool
	data      json.RawMessage
}

// gone says whether a version exists without a value.
func (v *kvVersion) gone(now time.Time) bool {
	return v.destroyed || (!v.deleted.IsZero() && v.deleted.Before(now))
}

// open returns the decoded data; nil for nothing, and for what is gone.
func (v *kvVersion) open(now time.Time) map[string]any {
	if v == nil || v.gone(now) {
		return nil
	}
	var data map[string]any
	decoder := json.NewDecoder(bytes.NewReader(v.data))
	decoder.UseNumber()
	if decoder.Decode(&data) != nil {
		return nil
	}
	return data
}

// store appends a version. k.mu is held.
func (k *KV) store(mount string, m *kvMount, path string, raw json.RawMessage) *kvVersion {
	now := k.now().UTC()
	key := m.keys[path]
	if key == nil {
		key = &kvKey{versions: map[int]*kvVersion{}, created: now}
		m.keys[path] = key
	}
	key.current++
	key.updated = now
	v := &kvVersion{number: key.current, created: now, data: slices.Clone(raw)}
	if key.deleteAfter > 0 {
		v.deleted = now.Add(key.deleteAfter)
	}
	key.versions[key.current] = v
	key.prune()
	if k.forget && k.told == nil {
		return v
	}
	written := KVWrite{At: now, Mount: mount, Path: path, Version: v.number, Data: v.open(now)}
	if k.told != nil {
		k.told(written)
	}
	if !k.forget {
		k.writes = append(k.writes, written)
	}
	return v
}

func (key *kvKey) prune() {
	most := key.maxVersions
	if most == 0 {
		most = kvMaxVersions
	}
	for _, number := range slices.Sorted(maps.Keys(key.versions)) {
		if number <= key.current-most {
			delete(key.versions, number)
		}
	}
}

func (key *kvKey) oldest() int {
	if len(key.versions) == 0 {
		return 0
	}
	return slices.Min(slices.Collect(maps.Keys(key.versions)))
}

// kvStamp writes a time as KV does: an empty text for none.
func kvStamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
