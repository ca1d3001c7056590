package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // what the algorithms hash with
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// KeySettings are those of a Keys.
type KeySettings struct {
	Audience string        // what a proof has to be made for; empty = anything
	MinFetch time.Duration // a set is fetched again for a key that it lacks at the earliest after so long; 0 = 10 s, as Keycloak has it
}

// Keys is a token endpoint whose clients prove themselves with a signature (RFC 7523, OpenID Connect Core section 9). It fetches
// their public keys from where each client says that they are, and keeps them for as long as the answer allows.
type Keys struct {
	now      func() time.Time
	settings KeySettings

	mu      sync.Mutex
	clients map[string]*keyClient
	proofs  map[string]time.Time // jti of those that were taken, until they expire
}

type keyClient struct {
	uri     string
	fetched time.Time
	good    time.Duration
	keys    []jwk
	logins  int
}

// jwk is a public key as it is published (RFC 7517, RFC 7518 section 6, RFC 8037).
type jwk struct {
	ID  string `json:"kid"`
	Typ string `json:"kty"`
	Alg string `json:"alg"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	Y   string `json:"y"`
	N   string `json:"n"`
	E   string `json:"e"`
}

// NewKeys returns a token endpoint without clients.
func NewKeys(now func() time.Time, s KeySettings) *Keys {
	if s.MinFetch == 0 {
		s.MinFetch = 10 * time.Second
	}
	return &Keys{now: now, settings: s, clients: map[string]*keyClient{}, proofs: map[string]time.Time{}}
}

// Register tells it of a client, and where its public keys are.
func (k *Keys) Register(client, uri string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clients[client] = &keyClient{uri: uri}
}

// Logins returns how often a client was let in.
func (k *Keys) Logins(client string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.clients[client].logins
}

// Age lets every set that is at hand be older.
func (k *Keys) Age(by time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.clients {
		c.fetched = c.fetched.Add(-by)
	}
}

// Handler serves the token endpoint.
func (k *Keys) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth2/token", k.token)
	return mux
}

func (k *Keys) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "the form cannot be read")
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	c, err := k.admit(r)
	switch {
	case err != nil:
		refuse(w, http.StatusUnauthorized, "invalid_client", err.Error())
	case r.PostForm.Get("grant_type") == "client_credentials":
		c.logins++
		answer(w, http.StatusOK, tokenReply{AccessToken: "granted-by-signature", TokenType: "Bearer", ExpiresIn: int(tokenLife.Seconds())})
	default:
		refuse(w, http.StatusBadRequest, "unauthorized_client", "the client may not use this grant")
	}
}

var (
	errProof     = errors.New("the client assertion is no JWT of this client")
	errProofTime = errors.New("the client assertion is not valid now, or was used before")
	errProofKey  = errors.New("no key of the client fits the client assertion")
)

// proof is what a client assertion says.
type proof struct {
	head struct {
		Alg string `json:"alg"`
		ID  string `json:"kid"`
	}
	claims struct {
		Iss string          `json:"iss"`
		Sub string          `json:"sub"`
		Aud json.RawMessage `json:"aud"`
		Jti string          `json:"jti"`
		Exp int64           `json:"exp"`
		Iat int64           `json:"iat"`
	}
	text      string // what is signed
	signature []byte
}

func readProof(r *http.Request) (p proof, ok bool) {
	parts := strings.Split(r.PostForm.Get("client_assertion"), ".")
	if r.PostForm.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || len(parts) != 3 {
		return p, false
	}
	var err error
	p.text = parts[0] + "." + parts[1]
	p.signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	return p, err == nil && part(parts[0], &p.head) && part(parts[1], &p.claims)
}

// admit checks the proof of a request.
func (k *Keys) admit(r *http.Request) (*keyClient, error) {
	p, ok := readProof(r)
	said := p.claims
	c := k.clients[said.Sub]
	if !ok || c == nil || said.Iss != said.Sub || r.PostForm.Get("client_id") != said.Sub || !strings.Contains(string(said.Aud), k.settings.Audience) {
		return nil, errProof
	}
	now := k.now().Unix()
	if _, used := k.proofs[said.Jti]; used || said.Jti == "" || said.Exp <= now || said.Iat > now {
		return nil, errProofTime
	}
	if !k.signed(c, p.head.ID, p.head.Alg, p.text, p.signature) {
		return nil, errProofKey
	}
	k.proofs[said.Jti] = time.Unix(said.Exp, 0)
	return c, nil
}

func part(text string, out any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && json.Unmarshal(raw, out) == nil
}

// signed looks for the key, in the set that is at hand or, if it is not there, in a fresh one.
func (k *Keys) signed(c *keyClient, id, alg, text string, signature []byte) bool {
	now := k.now()
	if now.Sub(c.fetched) >= c.good {
		k.fetch(c)
	}
	named := func(key jwk) bool { return key.ID == id }
	if !slices.ContainsFunc(c.keys, named) && now.Sub(c.fetched) >= k.settings.MinFetch {
		k.fetch(c)
	}
	i := slices.IndexFunc(c.keys, named)
	return i >= 0 && (c.keys[i].Alg == "" || c.keys[i].Alg == alg) && c.keys[i].verifies(alg, text, signature)
}

// fetch reads a client's set, and keeps it for as long as Cache-Control says.
func (k *Keys) fetch(c *keyClient) {
	c.fetched, c.good = k.now(), k.settings.MinFetch
	reply, err := http.Get(c.uri) //nolint:noctx // a stand-in, whose caller waits
	if err != nil {
		return
	}
	defer func() { _ = reply.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err != nil || reply.StatusCode != http.StatusOK || json.Unmarshal(raw, &set) != nil {
		return
	}
	c.keys = set.Keys
	if _, seconds, ok := strings.Cut(reply.Header.Get("Cache-Control"), "max-age="); ok {
		if n, err := strconv.Atoi(seconds); err == nil {
			c.good = max(time.Duration(n)*time.Second, k.settings.MinFetch)
		}
	}
}

// verifies checks a signature (RFC 7518 section 3, RFC 8037 section 3.1).
func (j jwk) verifies(alg, text string, signature []byte) bool {
	hash := map[string]crypto.Hash{"ES256": crypto.SHA256, "ES384": crypto.SHA384, "RS256": crypto.SHA256, "PS256": crypto.SHA256}[alg]
	var sum []byte
	if hash != 0 {
		h := hash.New()
		h.Write([]byte(text))
		sum = h.Sum(nil)
	}
	switch {
	case alg == "EdDSA" && j.Typ == "OKP":
		x := number(j.X).FillBytes(make([]byte, ed25519.PublicKeySize))
		return ed25519.Verify(x, []byte(text), signature)
	case strings.HasPrefix(alg, "ES") && j.Typ == "EC":
		return j.verifiesEC(sum, signature)
	case alg == "RS256" && j.Typ == "RSA":
		return rsa.VerifyPKCS1v15(j.rsa(), hash, sum, signature) == nil
	case alg == "PS256" && j.Typ == "RSA":
		return rsa.VerifyPSS(j.rsa(), hash, sum, signature, nil) == nil
	}
	return false
}

func (j jwk) verifiesEC(sum, signature []byte) bool {
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384()}[j.Crv]
	if curve == nil || len(signature)%2 != 0 {
		return false
	}
	half, size := len(signature)/2, (curve.Params().BitSize+7)/8
	point := append([]byte{4}, append(number(j.X).FillBytes(make([]byte, size)), number(j.Y).FillBytes(make([]byte, size))...)...)
	key, err := ecdsa.ParseUncompressedPublicKey(curve, point) // SEC 1 section 2.3.4
	if err != nil {
		return false
	}
	return ecdsa.Verify(key, sum, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
}

func (j jwk) rsa() *rsa.PublicKey {
	return &rsa.PublicKey{N: number(j.N), E: int(number(j.E).Int64())}
}

func number(text string) *big.Int {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return new(big.Int)
	}
	return new(big.Int).SetBytes(raw)
}
