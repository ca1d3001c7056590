package sandbox

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// googlePerAccount is how many keys a service account may have.
const googlePerAccount = 10

func (g *Google) listAccounts(w http.ResponseWriter, r *http.Request) {
	var all []any
	for _, a := range g.accounts {
		all = append(all, map[string]any{
			"name": "projects/" + g.project + "/serviceAccounts/" + a.email, "projectId": g.project, "email": a.email,
			"displayName": strings.ToUpper(a.email[:1]) + a.email[1:strings.IndexByte(a.email, '@')], "disabled": a.off,
		})
	}
	googlePage(w, r, "accounts", all, g.settings.Page)
}

// shown is a key as it is listed; file is its credentials file right after it was made, else empty.
func (g *Google) shown(a *googleAccount, k *googleKey, file string) map[string]any {
	end := "9999-12-31T23:59:59Z"
	if !k.end.IsZero() {
		end = k.end.UTC().Format(time.RFC3339)
	}
	out := map[string]any{
		"name":           "projects/" + g.project + "/serviceAccounts/" + a.email + "/keys/" + k.id,
		"validAfterTime": k.start.UTC().Format(time.RFC3339), "validBeforeTime": end,
		"keyAlgorithm": "KEY_ALG_RSA_2048", "keyOrigin": "GOOGLE_PROVIDED", "keyType": "USER_MANAGED",
	}
	if k.off {
		out["disabled"] = true
	}
	if file != "" {
		out["privateKeyType"], out["privateKeyData"] = "TYPE_GOOGLE_CREDENTIALS_FILE", base64.StdEncoding.EncodeToString([]byte(file))
	}
	return out
}

func (g *Google) listKeys(w http.ResponseWriter, r *http.Request, a *googleAccount) {
	body := map[string]any{}
	keys := []any{}
	for _, k := range a.keys {
		keys = append(keys, g.shown(a, k, ""))
	}
	if r.URL.Query().Get("keyTypes") != "USER_MANAGED" { // without that, Google's own are listed too
		keys = append(keys, map[string]any{"name": "projects/" + g.project + "/serviceAccounts/" + a.email + "/keys/of-google", "keyType": "SYSTEM_MANAGED"})
	}
	if len(keys) > 0 {
		body["keys"] = keys
	}
	answer(w, http.StatusOK, body)
}

func (g *Google) createKey(w http.ResponseWriter, r *http.Request, a *googleAccount) {
	var asked struct {
		Type      string `json:"privateKeyType"`
		Algorithm string `json:"keyAlgorithm"`
	}
	const day = "86401s"
	switch {
	case json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&asked) != nil, asked.Type != "TYPE_GOOGLE_CREDENTIALS_FILE":
		googleError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "")
		return
	case g.settings.Policy:
		googleError(w, http.StatusBadRequest, "FAILED_PRECONDITION", "Key creation is not allowed on this service account.", map[string]any{
			"@type":      "type.googleapis.com/google.rpc.PreconditionFailure",
			"violations": []any{map[string]string{"type": "constraints/iam.disableServiceAccountKeyCreation", "subject": "projects/" + g.project}},
		})
		return
	case len(a.keys) >= googlePerAccount && g.settings.Plain:
		googleError(w, http.StatusBadRequest, "FAILED_PRECONDITION", "Precondition check failed.")
		return
	case len(a.keys) >= googlePerAccount:
		googleError(w, http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "Maximum number of keys on account reached.",
			map[string]string{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": day})
		return
	}
	k, file, err := g.addKey(a)
	if err != nil {
		googleError(w, http.StatusInternalServerError, "INTERNAL", "")
		return
	}
	a.made++
	answer(w, http.StatusOK, g.shown(a, k, file))
}

func (g *Google) deleteKey(w http.ResponseWriter, r *http.Request, a *googleAccount) {
	i := slices.IndexFunc(a.keys, func(k *googleKey) bool { return k.id == r.PathValue("key") })
	if i < 0 {
		googleError(w, http.StatusNotFound, "NOT_FOUND", "Service account key does not exist.")
		return
	}
	a.keys = slices.Delete(a.keys, i, i+1)
	answer(w, http.StatusOK, map[string]any{})
}

// grant gives a service account a token for an assertion (RFC 7523).
func (g *Google) grant(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil || r.PostForm.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: ")
		return
	}
	a, scope, status, code, words := g.admits(r.PostForm.Get("assertion"))
	switch {
	case code != "":
		refuse(w, status, code, words)
	case scope == "":
		refuse(w, http.StatusBadRequest, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
	default:
		answer(w, http.StatusOK, g.token(a))
	}
}

func (g *Google) token(a *googleAccount) tokenReply {
	token := told(g.made, "ya29."+rand.Text())
	g.tokens[token] = a
	return tokenReply{AccessToken: token, TokenType: "Bearer", ExpiresIn: 3599}
}

// admits looks at an assertion; code is empty where it is one of an account's.
func (g *Google) admits(assertion string) (a *googleAccount, scope string, status int, code, words string) {
	var head struct {
		Alg, Kid string
	}
	var said struct {
		Iss, Aud, Scope string
		Iat, Exp        int64
	}
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || !part(parts[0], &head) || !part(parts[1], &said) || head.Alg != "RS256" {
		return nil, "", http.StatusBadRequest, "invalid_grant", "Bad Request"
	}
	now := g.now().Unix()
	a = g.account(said.Iss)
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	switch {
	case a == nil:
		return nil, "", http.StatusBadRequest, "invalid_grant", "Invalid grant: account not found"
	case a.off:
		return nil, "", http.StatusUnauthorized, "disabled_client", "The OAuth client was disabled."
	case said.Aud != googleAudience:
		return nil, "", http.StatusBadRequest, "invalid_grant", "Invalid JWT: Failed audience check. The right audience is " + googleAudience
	case said.Exp-said.Iat > 3600, said.Iat > now, said.Exp <= now:
		return nil, "", http.StatusBadRequest, "invalid_grant",
			"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
	case err != nil || !a.signed(head.Kid, parts[0]+"."+parts[1], signature, g.now()):
		return nil, "", http.StatusBadRequest, "invalid_grant", "Invalid JWT Signature."
	}
	return a, said.Scope, 0, "", ""
}

func (a *googleAccount) signed(id, text string, signature []byte, now time.Time) bool {
	sum := sha256.Sum256([]byte(text))
	return slices.ContainsFunc(a.keys, func(k *googleKey) bool {
		return k.lives(now) && k.id == id && rsa.VerifyPKCS1v15(k.public, crypto.SHA256, sum[:], signature) == nil
	})
}

// metadataPath is where the metadata server of a machine has a token of its service account.
const metadataPath = "/computeMetadata/v1/instance/service-accounts/default/token"

// metadata answers as the metadata server of a machine whose service account is the first that was registered.
func (g *Google) metadata(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Metadata-Flavor") != "Google" || len(g.accounts) == 0 {
		http.Error(w, "Missing Metadata-Flavor:Google header.", http.StatusForbidden)
		return
	}
	answer(w, http.StatusOK, g.token(g.accounts[0]))
}
