package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
)

// AuditTo lets the server write an entry for every successful read of a KV v2 path, as an audit device of Vault does
// (https://developer.hashicorp.com/vault/docs/audit/schema): texts of the response are HMACs, numbers are not. It writes no
// other entries. nil = it writes none.
func (k *KV) AuditTo(w io.Writer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.audit = w
}

// SetRole says with which role a token has logged in, for the audit.
func (k *KV) SetRole(token, role string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t := k.tokens[token]; t != nil {
		t.role = role
	}
}

// audited writes the entry of a read. k.mu is held.
func (k *KV) audited(q kvRequest, mount string, v *kvVersion) {
	if k.audit == nil {
		return
	}
	type object = map[string]any
	data := object{}
	for _, name := range slices.Sorted(maps.Keys(v.open(k.now()))) {
		data[name] = k.hashed(name)
	}
	line, err := json.Marshal(object{
		"time": k.now().UTC(), "type": "response",
		"auth":    object{"client_token": k.hashed(q.token.id), "metadata": object{"role_name": q.token.role}, "token_type": "service"},
		"request": object{"operation": "read", "mount_point": mount + "/", "namespace": object{"id": "root"}, "path": strings.Trim(q.path, "/")},
		"response": object{"mount_type": "kv", "data": object{"data": data, "metadata": object{
			"created_time": k.hashed(v.created.String()), "destroyed": false, "version": v.number,
		}}},
	})
	if err == nil {
		_, _ = k.audit.Write(append(line, '\n')) // a log that is full is the test's concern
	}
}

func (k *KV) hashed(text string) string {
	mac := hmac.New(sha256.New, []byte(k.unseal))
	mac.Write([]byte(text))
	return "hmac-sha256:" + hex.EncodeToString(mac.Sum(nil))
}
