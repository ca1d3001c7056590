package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// openPath serves what needs no token. k.mu is held.
func (k *KV) openPath(q kvRequest) (kvReply, bool) {
	switch {
	case q.path == "sys/health":
		return k.health(q), true
	case q.path == "sys/seal-status":
		return k.sealStatus(), true
	case q.path == "sys/unseal":
		if q.text("key") != k.unseal {
			return kvFail(http.StatusBadRequest, "'key' must be a valid hex or base64 string"), true
		}
		k.sealed = false
		return k.sealStatus(), true
	case q.path == "auth/approle/login" && !k.sealed:
		return k.appRoleLogin(q), true
	}
	if mount, ok := k.loginMount(q.path); ok && !k.sealed {
		return k.jwtLogin(q, mount), true
	}
	return kvReply{}, false
}

// own serves what every token may do, and what only the root token may. k.mu is held.
func (k *KV) own(q kvRequest) (kvReply, bool) {
	mount, isMount := strings.CutPrefix(q.path, "sys/mounts/")
	switch {
	case q.path == "auth/token/lookup-self":
		return k.lookup(q.token), true
	case q.path == "auth/token/renew-self":
		return k.renew(q.token), true
	case q.path == "sys/capabilities-self":
		return k.capabilities(q), true
	case strings.HasPrefix(q.path, "sys/internal/ui/mounts/"):
		return k.describeMount(q, strings.TrimPrefix(q.path, "sys/internal/ui/mounts/")), true
	case !strings.HasPrefix(q.path, "sys/") && !strings.HasPrefix(q.path, "auth/"):
		return kvReply{}, false
	case !q.token.root():
		return kvFail(http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n"), true
	case q.path == "sys/seal":
		k.sealed = true
		return kvDone(), true
	case isMount && q.method == http.MethodPut:
		k.mounts[strings.Trim(mount, "/")] = newKVMount(q.mountVersion())
		return kvDone(), true
	}
	return kvFail(http.StatusNotFound, `no handler for route "`+q.path+`". route entry not found.`), true
}

func (q kvRequest) mountVersion() int {
	var options map[string]string
	if json.Unmarshal(q.body["options"], &options) == nil && options["version"] == "2" {
		return 2
	}
	return 1
}

// health answers 200 or 503, unless the query names another status, with the clock to the second as Vault does.
func (k *KV) health(q kvRequest) kvReply {
	status := http.StatusOK
	if k.sealed {
		status = http.StatusServiceUnavailable
		if asked, err := strconv.Atoi(q.query("sealedcode")); err == nil {
			status = asked
		}
	}
	return kvReply{status, map[string]any{
		"initialized": true, "sealed": k.sealed, "standby": false, "performance_standby": false,
		"server_time_utc": k.now().Unix(), "version": "1.21.0",
	}}
}

func (k *KV) sealStatus() kvReply {
	return kvReply{http.StatusOK, map[string]any{"initialized": true, "sealed": k.sealed, "t": 1, "n": 1, "progress": 0}}
}

func (k *KV) capabilities(q kvRequest) kvReply {
	var paths []string
	if json.Unmarshal(q.body["paths"], &paths) != nil || len(paths) == 0 {
		return kvFail(http.StatusBadRequest, "paths must be supplied")
	}
	rights := map[string]any{}
	for _, path := range paths {
		rights[path] = q.token.rights(q.namespace + path)
	}
	return kvData(http.StatusOK, rights)
}

// describeMount says what a mount is, to tokens that have a right in it. A mount that does not exist is refused in the
// same way, so that nobody can guess names.
func (k *KV) describeMount(q kvRequest, path string) kvReply {
	name, _, m := k.mountOf(q.namespace + path)
	if m == nil || !q.token.reaches(name) {
		return kvFail(http.StatusForbidden,
			`preflight capability check returned 403, please ensure client's policies grant access to path "`+path+`/"`)
	}
	options := map[string]any{"version": strconv.Itoa(m.version)}
	if m.version == 1 {
		options = nil
	}
	return kvData(http.StatusOK, map[string]any{"path": strings.TrimPrefix(name, q.namespace) + "/", "type": "kv", "options": options})
}

func (t *kvToken) reaches(mount string) bool {
	for _, g := range t.grants {
		if strings.HasPrefix(g.Path, mount+"/") {
			return true
		}
	}
	return t.all
}
