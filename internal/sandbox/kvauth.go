package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// KVGrant gives rights on paths: "*" at the end matches everything that follows, "+" one part. Capabilities are those
// of Vault's policies: create, read, update, patch, delete, list. Where several grants match, their rights add up.
type KVGrant struct {
	Path         string
	Capabilities []string
}

type kvToken struct {
	id        string
	all       bool // the root token
	grants    []KVGrant
	ttl       time.Duration // 0 = for ever
	expires   time.Time
	renewable bool
	role      string // of its login, for the audit
}

type kvRole struct {
	secretID string
	ttl      time.Duration
	grants   []KVGrant
}

// AddToken adds a token that lives for ttl (0 = for ever) and may be renewed to that again.
func (k *KV) AddToken(id string, ttl time.Duration, grants ...KVGrant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.issue(id, ttl, grants)
}

// AddAppRole adds a role that logs in with a role id and a secret id. A second call replaces it; tokens that it has
// given live on.
func (k *KV) AddAppRole(roleID, secretID string, ttl time.Duration, grants ...KVGrant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.roles[roleID] = &kvRole{secretID: secretID, ttl: ttl, grants: grants}
}

// RevokeTokens ends every token but the root token.
func (k *KV) RevokeTokens() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.tokens)
}

func (k *KV) issue(id string, ttl time.Duration, grants []KVGrant) *kvToken {
	t := &kvToken{id: id, grants: grants, ttl: ttl, renewable: ttl > 0}
	if ttl > 0 {
		t.expires = k.now().Add(ttl)
	}
	k.tokens[id] = t
	return t
}

// authenticate returns the token, nil if there is none or it has ended. k.mu is held.
func (k *KV) authenticate(id string) *kvToken {
	if id == k.root {
		return &kvToken{id: id, all: true}
	}
	t := k.tokens[id]
	if t == nil || (!t.expires.IsZero() && !k.now().Before(t.expires)) {
		return nil
	}
	return t
}

func (t *kvToken) root() bool { return t.all }

func (t *kvToken) may(path, right string) bool {
	return t.all || slices.Contains(t.rights(path), right)
}

func (t *kvToken) rights(path string) []string {
	if t.all {
		return []string{"root"}
	}
	var rights []string
	for _, g := range t.grants {
		if g.covers(path) {
			rights = append(rights, g.Capabilities...)
		}
	}
	if len(rights) == 0 {
		return []string{"deny"}
	}
	slices.Sort(rights)
	return slices.Compact(rights)
}

func (g KVGrant) covers(path string) bool {
	pattern, open := strings.CutSuffix(g.Path, "*")
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(have) < len(want) || (!open && len(have) != len(want)) {
		return false
	}
	for i, part := range want {
		last := i == len(want)-1
		switch {
		case part == "+" || part == have[i]:
		case last && open && strings.HasPrefix(have[i], part):
		default:
			return false
		}
	}
	return true
}

// right names what a request needs: a write creates or updates, depending on whether there is something.
func (q kvRequest) right(m *kvMount, rest string) string {
	switch q.method {
	case http.MethodGet:
		return "read"
	case "LIST":
		return "list"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		return "delete"
	}
	side, path, _ := strings.Cut(rest, "/")
	if (side == "data" || side == "metadata") && m.keys[path] == nil {
		return "create"
	}
	return "update"
}

// appRoleLogin answers auth/approle/login. k.mu is held.
func (k *KV) appRoleLogin(q kvRequest) kvReply {
	role := k.roles[q.text("role_id")]
	if role == nil || role.secretID != q.text("secret_id") {
		return kvFail(http.StatusBadRequest, "invalid role or secret ID")
	}
	token := k.issue("hvs."+rand.Text(), role.ttl, role.grants)
	token.role = q.text("role_id")
	return k.grant(token)
}

func (k *KV) renew(t *kvToken) kvReply {
	if !t.renewable {
		return kvFail(http.StatusBadRequest, "lease is not renewable")
	}
	t.expires = k.now().Add(t.ttl)
	return k.grant(t)
}

func (k *KV) grant(t *kvToken) kvReply {
	return kvReply{http.StatusOK, kvEnvelope{RequestID: rand.Text(), Auth: map[string]any{
		"client_token": t.id, "lease_duration": int(t.ttl.Seconds()), "renewable": t.renewable, "policies": []string{"default"},
	}}}
}

func (k *KV) lookup(t *kvToken) kvReply {
	data := map[string]any{"id": t.id, "ttl": 0, "renewable": t.renewable, "expire_time": nil, "type": "service"}
	if !t.expires.IsZero() {
		data["ttl"] = int(t.expires.Sub(k.now()).Seconds())
		data["expire_time"] = kvStamp(t.expires)
	}
	return kvData(http.StatusOK, data)
}

// text returns a string of the body; empty if it is missing or no string.
func (q kvRequest) text(name string) string {
	var text string
	_ = json.Unmarshal(q.body[name], &text) // what is no text is as good as missing
	return text
}
