package entracertificate

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

const (
	rsaBits = 2048 // what Entra's own tools make
	maxBits = 8192 // a longer key would only cost time

	pemKey         = "PRIVATE KEY" // RFC 7468 section 10
	pemCertificate = "CERTIFICATE"

	// lead is how far in the past a certificate begins, for a server whose clock is behind.
	lead = 5 * time.Minute
)

// pair is a private key with its certificate.
type pair struct {
	private     *rsa.PrivateKey
	certificate *x509.Certificate
}

var (
	errNoKey         = errors.New("the private key is no PEM block of PKCS #8 with an RSA key")
	errNoCertificate = errors.New("the certificate is no PEM block of X.509")
	errOther         = errors.New("private key, certificate and key_id of the bundle do not belong together")
)

// makePair makes a pair for an application, good from a moment on.
func makePair(app string, from time.Time, life time.Duration) (pair, error) {
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return pair{}, err
	}
	const serialBits = 127
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return pair{}, err
	}
	from = from.UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: app}, NotBefore: from.Add(-lead), NotAfter: from.Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return pair{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	return pair{private: private, certificate: certificate}, err
}

// thumbprint names a certificate by what it is: x5t#S256 of RFC 7515 section 4.1.8.
func thumbprint(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// bundle writes a pair as consumers read it.
func (p pair) bundle(app string) (credential.Bundle, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.private)
	if err != nil {
		return nil, err
	}
	return credential.Bundle{
		credential.FieldClientID:   credential.NewSensitive(app),
		credential.FieldKeyID:      credential.NewSensitive(thumbprint(p.certificate.Raw)),
		credential.FieldPrivateKey: credential.NewSensitive(string(pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}))),
		FieldCertificate:           credential.NewSensitive(string(pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: p.certificate.Raw}))),
	}, nil
}

// keyOf reads the private key of a bundle. The error repeats nothing of it.
func keyOf(b credential.Bundle) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(b[credential.FieldPrivateKey].Reveal()))
	if block == nil || block.Type != pemKey {
		return nil, errNoKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok || private.N.BitLen() > maxBits {
		return nil, errNoKey
	}
	return private, nil
}

// pairOf reads a whole bundle. The error repeats nothing of it.
func pairOf(b credential.Bundle) (pair, error) {
	private, err := keyOf(b)
	if err != nil {
		return pair{}, err
	}
	block, _ := pem.Decode([]byte(b[FieldCertificate].Reveal()))
	if block == nil || block.Type != pemCertificate {
		return pair{}, errNoCertificate
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return pair{}, errNoCertificate
	}
	if !private.PublicKey.Equal(certificate.PublicKey) || thumbprint(certificate.Raw) != b[credential.FieldKeyID].Reveal() {
		return pair{}, errOther
	}
	return pair{private: private, certificate: certificate}, nil
}

const (
	// assertionLife is how long a proof is good for; Microsoft recommends five to ten minutes.
	assertionLife = 5 * time.Minute
	// assertionSkew is how far in the past a proof begins, for a server whose clock is behind.
	assertionSkew = 10 * time.Second
)

var errUnsigned = errors.New("the assertion cannot be signed")

// assertion proves a client by a key (RFC 7523 section 2.2; learn.microsoft.com/entra/identity-platform/certificate-credentials).
func assertion(private *rsa.PrivateKey, id, client, audience string, now time.Time) (credential.Sensitive, error) {
	text := ""
	for _, members := range []map[string]any{
		{"alg": "PS256", "typ": "JWT", "x5t#S256": id},
		{
			"aud": audience, "iss": client, "sub": client, "jti": rand.Text(),
			"nbf": now.Add(-assertionSkew).Unix(), "iat": now.Add(-assertionSkew).Unix(), "exp": now.Add(assertionLife).Unix(),
		},
	} {
		raw, err := json.Marshal(members)
		if err != nil {
			return credential.Sensitive{}, errUnsigned
		}
		if text != "" {
			text += "."
		}
		text += base64.RawURLEncoding.EncodeToString(raw)
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPSS(rand.Reader, private, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		return credential.Sensitive{}, errUnsigned
	}
	return credential.NewSensitive(text + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}
