package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/rotad/rotad/internal/credential"
)

// DefaultJWTFile is where Kubernetes puts the token of a pod's service account.
const DefaultJWTFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// maxJWT bounds a JWT, in bytes. Those of service accounts take about one KiB, those with many groups a few dozen.
const maxJWT = 64 << 10

// enterByJWT logs in with what somebody else keeps fresh in a file: the token of a service account, of a workload, of an
// OIDC client. The methods jwt and kubernetes take the same request (developer.hashicorp.com/vault/api-docs/auth).
func (c *Client) enterByJWT(ctx context.Context, s *session) error {
	auth := c.settings.Auth
	jwt, err := readJWT(auth.JWTFile)
	if err != nil {
		return err
	}
	q := call{op: "logging in to", path: "auth/" + auth.Mount + "/login"}
	secret, err := c.base.Logical().WriteWithContext(ctx, q.path, map[string]any{"role": auth.Role, "jwt": jwt})
	if err != nil {
		return auth.refusedJWT(q, err)
	}
	return s.granted(q, secret)
}

// readJWT reads a JWT afresh. The error names the file and never the content, which may be another secret: a wrong path
// is mended sooner than a secret that was sent to where it does not belong.
func readJWT(file string) (string, error) {
	f, err := os.Open(file) //nolint:gosec // the operator names the file
	if err != nil {
		return "", fmt.Errorf("reading the JWT for vault: %w", err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxJWT+1))
	text := strings.TrimSpace(string(raw))
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the JWT for vault: %w", err)
	case len(raw) > maxJWT:
		return "", fmt.Errorf("reading the JWT for vault: %s is larger than %d KiB", file, maxJWT>>10)
	case text == "":
		return "", fmt.Errorf("reading the JWT for vault: %s is empty", file)
	case !looksLikeJWT(text):
		return "", fmt.Errorf("reading the JWT for vault: %s holds no JWT (header.payload.signature, and nothing else)", file)
	}
	return text, nil
}

// looksLikeJWT knows the compact form of a signed JWT (RFC 7515, section 7.1): three parts in base64url without padding.
func looksLikeJWT(text string) bool {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return false
	}
	for _, part := range parts {
		if part == "" || strings.ContainsFunc(part, notBase64URL) {
			return false
		}
	}
	return true
}

func notBase64URL(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// reason is what a refusal means, by words that Vault says in it.
type reason struct {
	words string // in lower case
	check string // what a person looks at; written by us
}

// ended is said by both methods.
var ended = reason{"token is expired", "the token has ended, and whoever writes the file has not replaced it"}

// reasons are in the order in which Vault looks (vault-plugin-auth-jwt 0.25 and vault-plugin-auth-kubernetes 0.23). The
// last one of each is for refusals that give none.
var reasons = map[string][]reason{
	MethodJWT: {
		{"could not be found", "the mount has no such role"},
		{"oidc role_type", "its role_type is oidc, and has to be jwt"},
		{"signature", "the token is not signed by the issuer of the mount"},
		ended,
		{"(iss) claim", "the token's iss is not the mount's bound_issuer"},
		{"(sub) claim", "its bound_subject is not the token's sub"},
		{"audience", "its bound_audiences are not the token's aud"},
		{"validating claims", "its bound_claims are not those of the token"},
		{"", "check its bound_audiences, bound_subject and bound_claims, its user_claim, and the issuer and keys of the mount"},
	},
	MethodKubernetes: {
		{"invalid role name", "the mount has no such role"},
		ended,
		{"audience", "its audience is not the token's aud"},
		{"service account name", "its bound_service_account_names do not name the service account of the token"},
		{"namespace not authorized", "its bound_service_account_namespaces do not name the namespace of the token"},
		{"", "check whether this cluster still knows the service account, the role's audience, and whether Vault may ask the cluster (system:auth-delegator)"},
	},
}

// unreachable are words of a refusal (HTTP 400) that is none: Vault could not ask the issuer for its keys. Nobody has
// looked at the token yet.
var unreachable = []string{"error configuring token validator", "fetching keys"}

// refusedJWT turns a login that failed into an error that names role, mount and file, and says what to look at.
func (a Auth) refusedJWT(q call, err error) error {
	failed := failure(q.op, q.path, err)
	e, ok := errors.AsType[*Error](failed)
	reply, told := errors.AsType[*api.ResponseError](err)
	if !ok || !told || (e.Class != ClassRejected && e.Class != ClassDenied) {
		return failed
	}
	for _, words := range unreachable {
		if says(reply, words) {
			e.Class, e.Detail = ClassUnavailable, "vault cannot get the keys of the issuer that auth/"+a.Mount+" trusts"
			return e
		}
	}
	e.Class, e.cause = ClassDenied, credential.ErrDenied
	for _, why := range reasons[a.Method] {
		if says(reply, why.words) || why.words == "" {
			e.Detail = fmt.Sprintf("role %q of the %s method at auth/%s does not accept the token in %s: %s",
				a.Role, a.Method, a.Mount, a.JWTFile, why.check)
			break
		}
	}
	return e
}
