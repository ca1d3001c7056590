package sandbox

import (
	"maps"
	"slices"
	"time"
)

// KVVersion is one version of a key as its metadata tells of it.
type KVVersion struct {
	Number    int
	At        time.Time
	Deleted   bool // and can be brought back
	Destroyed bool
}

// Versions returns the versions of a key that are kept, the oldest first.
func (k *KV) Versions(mount, path string) []KVVersion {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := k.mounts[mount]
	if m == nil || m.keys[path] == nil {
		return nil
	}
	now, key := k.now(), m.keys[path]
	list := make([]KVVersion, 0, len(key.versions))
	for _, number := range slices.Sorted(maps.Keys(key.versions)) {
		v := key.versions[number]
		list = append(list, KVVersion{Number: number, At: v.created, Deleted: !v.destroyed && v.gone(now), Destroyed: v.destroyed})
	}
	return list
}
