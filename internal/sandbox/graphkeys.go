package sandbox

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Graph names certificates by it
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// certificate is one keyCredential: a public key that a client may prove itself with. Removed ones stay, as versions do.
type certificate struct {
	id, label  string
	der        []byte
	public     *rsa.PublicKey
	start, end time.Time
	usable     time.Time
	dies       time.Time // zero = not removed
}

// keyCredential is one entry of the list as Graph takes and shows it.
type keyCredential struct {
	CustomKeyIdentifier string     `json:"customKeyIdentifier"`
	DisplayName         string     `json:"displayName"`
	EndDateTime         *time.Time `json:"endDateTime"`
	Key                 []byte     `json:"key"`
	KeyID               string     `json:"keyId"`
	StartDateTime       *time.Time `json:"startDateTime"`
	Type                string     `json:"type"`
	Usage               string     `json:"usage"`
}

func (k *certificate) shown() keyCredential {
	sum := sha1.Sum(k.der) //nolint:gosec // as Graph does
	return keyCredential{
		CustomKeyIdentifier: base64.StdEncoding.EncodeToString(sum[:]), DisplayName: k.label, EndDateTime: &k.end, Key: k.der, KeyID: k.id,
		StartDateTime: &k.start, Type: "AsymmetricX509Cert", Usage: "Verify",
	}
}

// certificates returns those that are not removed, as Graph shows them of one application. The caller holds the lock.
func (c *client) certificates() []keyCredential {
	list := []keyCredential{}
	for _, k := range c.keys {
		if k.dies.IsZero() {
			list = append(list, k.shown())
		}
	}
	return list
}

// Certify gives a client a certificate, from the day that it says to the day that it says.
func (p *IdP) Certify(clientID string, der []byte) error {
	c, err := p.client(clientID)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k, problem := p.certificate(keyCredential{Key: der, Type: "AsymmetricX509Cert", Usage: "Verify"})
	if problem != "" {
		return fmt.Errorf("certifying %q: %s", clientID, problem)
	}
	c.keys = append(c.keys, k)
	return nil
}

// Certified returns how many certificates a client has ever had.
func (p *IdP) Certified(clientID string) int {
	c, err := p.client(clientID)
	if err != nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.keys)
}

// certificate reads a new entry, or says what is wrong with it.
func (p *IdP) certificate(e keyCredential) (*certificate, string) {
	const longest = 90
	parsed, err := x509.ParseCertificate(e.Key)
	if err != nil || e.Type != "AsymmetricX509Cert" || e.Usage != "Verify" || len(e.DisplayName) > longest {
		return nil, "Request_BadRequest"
	}
	public, ok := parsed.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, "Request_BadRequest"
	}
	k := &certificate{
		id: p.id(), label: e.DisplayName, der: e.Key, public: public, start: parsed.NotBefore.UTC(), end: parsed.NotAfter.UTC(),
		usable: p.now().Add(p.settings.Graph.Propagation),
	}
	if e.StartDateTime != nil {
		k.start = *e.StartDateTime
	}
	if e.EndDateTime != nil {
		k.end = *e.EndDateTime
	}
	switch {
	case k.start.Before(parsed.NotBefore):
		return nil, "KeyCredentialsInvalidStartDate"
	case k.end.After(parsed.NotAfter):
		return nil, "KeyCredentialsInvalidEndDate"
	}
	return k, ""
}

// graphPatch replaces the whole list of certificates, as an update of an application does: what is not in the new one is gone, and what
// is in both must not differ.
func (p *IdP) graphPatch(w http.ResponseWriter, r *http.Request, c *client) {
	var body struct {
		Keys []keyCredential `json:"keyCredentials"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&body) != nil || body.Keys == nil {
		p.graphError(w, http.StatusBadRequest, "Request_BadRequest", "The body cannot be read.")
		return
	}
	var kept []string
	var added []*certificate
	for _, e := range body.Keys {
		if e.KeyID == "" {
			k, problem := p.certificate(e)
			if problem != "" {
				p.graphError(w, http.StatusBadRequest, problem, "A key credential is invalid.")
				return
			}
			added = append(added, k)
			continue
		}
		if !slices.ContainsFunc(c.certificates(), func(old keyCredential) bool { return old.same(e) }) {
			p.graphError(w, http.StatusBadRequest, "Request_BadRequest", "Update to existing credential with KeyId is not allowed.")
			return
		}
		kept = append(kept, e.KeyID)
	}
	for _, k := range c.keys {
		if k.dies.IsZero() && !slices.Contains(kept, k.id) {
			k.dies = p.now().Add(p.settings.Graph.Propagation)
		}
	}
	c.keys = append(c.keys, added...)
	w.WriteHeader(http.StatusNoContent)
}

func (e keyCredential) same(o keyCredential) bool {
	return e.KeyID == o.KeyID && o.StartDateTime != nil && o.EndDateTime != nil && e.StartDateTime.Equal(*o.StartDateTime) &&
		e.EndDateTime.Equal(*o.EndDateTime) && (o.Key == nil || bytes.Equal(e.Key, o.Key))
}

// Faults of a login by a client assertion.
var (
	assertionTime = entraFault{"invalid_client", 700024, "Client assertion is not within its valid time range.", http.StatusUnauthorized}
	assertionBad  = entraFault{"invalid_client", 50027, "JWT token is invalid or malformed.", http.StatusUnauthorized}
	assertionKey  = entraFault{
		"invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application.", http.StatusUnauthorized,
	}
)

// asserted logs a client in by a client assertion (RFC 7523 section 2.2), signed with PS256 by one of its certificates.
func (p *IdP) asserted(r *http.Request) (*client, *entraFault) {
	a, ok := readAssertion(r)
	if !ok {
		return nil, &assertionBad
	}
	c, err := p.client(a.claims.Sub)
	if err != nil {
		gone := entraFaults(noClient)
		return nil, &gone
	}
	now := p.now()
	if a.claims.Nbf > now.Unix() || a.claims.Exp <= now.Unix() {
		return nil, &assertionTime
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.ContainsFunc(c.keys, func(k *certificate) bool { return k.lives(now) && a.by(k) }) {
		return nil, &assertionKey
	}
	return c, nil
}

// keyAssertion is what a client assertion says.
type keyAssertion struct {
	head struct {
		Alg   string `json:"alg"`
		Thumb string `json:"x5t#S256"`
	}
	claims struct {
		Iss, Sub, Aud, Jti string
		Nbf, Exp           int64
	}
	sum       [sha256.Size]byte // of what is signed
	signature []byte
}

func readAssertion(r *http.Request) (a keyAssertion, ok bool) {
	parts := strings.Split(r.PostForm.Get("client_assertion"), ".")
	if len(parts) != 3 || !part(parts[0], &a.head) || !part(parts[1], &a.claims) {
		return a, false
	}
	var err error
	a.sum = sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	a.signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	said := a.claims
	ours := said.Iss == said.Sub && said.Sub == r.PostForm.Get("client_id") && strings.HasSuffix(said.Aud, r.URL.Path)
	return a, err == nil && a.head.Alg == "PS256" && said.Jti != "" && ours
}

func (a keyAssertion) by(k *certificate) bool {
	return k.thumb() == a.head.Thumb && rsa.VerifyPSS(k.public, crypto.SHA256, a.sum[:], a.signature, nil) == nil
}

func (k *certificate) lives(now time.Time) bool {
	return !now.Before(k.usable) && !now.Before(k.start) && now.Before(k.end) && (k.dies.IsZero() || now.Before(k.dies))
}

func (k *certificate) thumb() string {
	sum := sha256.Sum256(k.der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
