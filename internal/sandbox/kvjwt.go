package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// KVJWTRole is a role of the login method jwt or kubernetes, at the mount of its name.
type KVJWTRole struct {
	Method   string // "jwt" or "kubernetes"
	Name     string
	Audience string        // that tokens have to be for; empty = jwt takes no token for an audience, kubernetes any
	Subject  string        // that tokens have to be of; empty = any. kubernetes: "system:serviceaccount:namespace:name"
	TTL      time.Duration // of Vault's own token; 0 = for ever
	Grants   []KVGrant
}

// AddJWTRole adds a role, and its mount if there is none. A second call replaces the role; tokens that it has given live
// on.
func (k *KV) AddJWTRole(r KVJWTRole) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.logins[r.Method] == nil {
		k.logins[r.Method] = map[string]KVJWTRole{}
	}
	k.logins[r.Method][r.Name] = r
}

// JWT signs a token that the server believes until it ends, as the issuer that both methods trust.
func (k *KV) JWT(subject, audience string, ttl time.Duration) string {
	claims, err := json.Marshal(kvClaims{Subject: subject, Audience: []string{audience}, Expires: k.now().Add(ttl).Unix(), ID: rand.Text()})
	if err != nil {
		panic("sandbox: KV.JWT: " + err.Error()) // a mistake in this package
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(claims)
	return signed + "." + encode(k.signature(signed))
}

type kvClaims struct {
	Subject  string   `json:"sub"`
	Audience []string `json:"aud"`
	Expires  int64    `json:"exp"` // seconds since 1970
	ID       string   `json:"jti"`
}

// LoseIssuer makes the method jwt unable to ask the issuer for its keys, until it is called with false.
func (k *KV) LoseIssuer(lost bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.issuerLost = lost
}

func (k *KV) signature(signed string) []byte {
	mac := hmac.New(sha256.New, []byte(k.unseal))
	_, _ = mac.Write([]byte(signed)) // it never fails
	return mac.Sum(nil)
}

// loginMount returns the mount of a login path such as "auth/jwt/login"; ok is false where no such method is enabled.
func (k *KV) loginMount(path string) (mount string, ok bool) {
	mount, ok = strings.CutPrefix(path, "auth/")
	if ok {
		mount, ok = strings.CutSuffix(mount, "/login")
	}
	return mount, ok && k.logins[mount] != nil
}

// jwtLogin answers auth/jwt/login and auth/kubernetes/login, in the words of the plugin. k.mu is held.
func (k *KV) jwtLogin(q kvRequest, method string) kvReply {
	role, known := k.logins[method][q.text("role")]
	refuse := refuseJWT
	if method == "kubernetes" {
		refuse = refuseServiceAccount
	}
	if !known {
		return refuse(q, "role")
	}
	if method == "jwt" && k.issuerLost {
		return kvFail(http.StatusBadRequest, "error validating token: error verifying token signature: fetching keys oidc: get keys failed")
	}
	claims, why := k.judge(q.text("jwt"))
	if why == "" {
		why = role.judge(claims)
	}
	if why != "" {
		return refuse(q, why)
	}
	return k.grant(k.issue("hvs."+rand.Text(), role.TTL, role.Grants))
}

// judge reads a token. why is what is wrong with it: "shape", "signature", "expired"; empty = nothing.
func (k *KV) judge(token string) (claims kvClaims, why string) {
	end := strings.LastIndex(token, ".")
	if strings.Count(token, ".") != 2 {
		return claims, "shape"
	}
	given, err := base64.RawURLEncoding.DecodeString(token[end+1:])
	if err != nil || !hmac.Equal(given, k.signature(token[:end])) {
		return claims, "signature"
	}
	_, payload, _ := strings.Cut(token[:end], ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	switch {
	case err != nil || json.Unmarshal(raw, &claims) != nil:
		return claims, "shape"
	case k.now().Unix() >= claims.Expires:
		return claims, "expired"
	}
	return claims, ""
}

// judge holds a token against the role: "audience", "subject", "namespace"; empty = it fits.
func (r KVJWTRole) judge(claims kvClaims) string {
	wanted, given := strings.Split(r.Subject, ":"), strings.Split(claims.Subject, ":")
	switch {
	case r.Audience != "" && !slices.Contains(claims.Audience, r.Audience):
		return "audience"
	case r.Audience == "" && r.Method == "jwt" && len(claims.Audience) > 0:
		return "unbound"
	case r.Subject == "" || r.Subject == claims.Subject:
		return ""
	case r.Method == "kubernetes" && len(wanted) == 4 && len(given) == 4 && wanted[3] == given[3]:
		return "namespace"
	}
	return "subject"
}

// refuseJWT says no as vault-plugin-auth-jwt 0.25 does.
func refuseJWT(q kvRequest, why string) kvReply {
	return kvFail(http.StatusBadRequest, map[string]string{
		"role":      `role "` + q.text("role") + `" could not be found`,
		"shape":     "error validating token: error parsing token: malformed jwt",
		"signature": "error validating token: error verifying token signature: no known key successfully validated the token signature",
		"expired":   "error validating token: invalid expiration time (exp) claim: token is expired",
		"audience":  "error validating token: invalid audience (aud) claim: audience claim does not match any expected audience",
		"unbound":   "audience claim found in JWT but no audiences bound to the role",
		"subject":   "error validating token: invalid subject (sub) claim",
	}[why])
}

// refuseServiceAccount says no as vault-plugin-auth-kubernetes 0.23 does: what the cluster refuses is a bare refusal.
func refuseServiceAccount(q kvRequest, why string) kvReply {
	status, text := http.StatusForbidden, map[string]string{
		"role":      `invalid role name "` + q.text("role") + `"`,
		"expired":   "invalid expiration time (exp) claim: token is expired",
		"audience":  "invalid audience (aud) claim: audience claim does not match any expected audience",
		"namespace": "namespace not authorized",
		"subject":   "service account name not authorized",
	}[why]
	if why == "role" {
		status = http.StatusBadRequest
	}
	if text == "" {
		text = "permission denied"
	}
	return kvFail(status, text)
}
