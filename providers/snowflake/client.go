package snowflake

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Paths below the address of the account.
const (
	statementsPath = "/api/v2/statements"
	tokenPath      = "/oauth/token-request" //nolint:gosec // a path
)

// patience is how long Snowflake may work on a statement, in seconds; after 45 it would answer before it is done.
const patience = 40

// Codes of errors that say what may be concluded.
const (
	codeUnknown = "002003" // it does not exist, or the role may not see it
	codeRights  = "003001" // the role may not do it
)

// slots is how many secrets an integration has.
const slots = 2

// api is the protocol: which statement is sent for what.
type api struct {
	client *httpapi.Client
	role   string // empty = the user's own
}

// integration is a security integration with both its secrets, in the order of their slots.
type integration struct {
	clientID string
	values   [slots]credential.Sensitive
	time     time.Time // the server's clock; zero = not known
}

// statement is the body of a request.
type statement struct {
	Statement string `json:"statement"`
	Timeout   int    `json:"timeout"`
	Role      string `json:"role,omitempty"`
}

// result is the answer to a statement with one row of one column.
type result struct {
	Data [][]*string `json:"data"`
}

// secrets is what Snowflake shows. Its members come in capitals; they are compared without looking at that.
type secrets struct {
	ClientID string `json:"oauth_client_id"`
	First    string `json:"oauth_client_secret"`
	Second   string `json:"oauth_client_secret_2"`
}

// refreshed is what the block of a refresh returns.
type refreshed struct {
	Slot    int     `json:"slot"` // 1 or 2
	Secrets secrets `json:"secrets"`
}

var (
	errName    = errors.New("the client's ref has to name an integration plainly: letters, digits and _, and no digit first")
	errUnknown = errors.New("there is no such integration, or rotad's role may not see it")
	errRights  = errors.New("rotad's role may not do this: it has to own the integration")
	errRefused = errors.New("the statement was refused")
	errRow     = errors.New("the answer is not one row with the secrets")
	errPending = errors.New("the server is still at work on the statement")
)

// sqlName is the name of an integration as it stands in statements: upper case, as Snowflake keeps a name without quotes, and nothing in
// it that could end a quote.
func sqlName(name string) (string, error) {
	if !plain.MatchString(name) {
		return "", errName
	}
	return strings.ToUpper(name), nil
}

// showing and refreshing are the two statements of this package. A name in them has passed sqlName.
func showing(name string) string {
	return fmt.Sprintf("SELECT SYSTEM$SHOW_OAUTH_CLIENT_SECRETS('%s')", name)
}

// refreshing gives a slot another value and returns both, in one statement: a value that had to be asked for would be lost with the
// answer to that.
func refreshing(name string, slot int) string {
	suffix := ""
	if slot == slots {
		suffix = "_2"
	}
	return fmt.Sprintf(`EXECUTE IMMEDIATE $$
BEGIN
  ALTER SECURITY INTEGRATION "%[1]s" REFRESH OAUTH_CLIENT_SECRET%[2]s;
  LET shown VARCHAR := (SELECT SYSTEM$SHOW_OAUTH_CLIENT_SECRETS('%[1]s'));
  RETURN '{"slot":%[3]d,"secrets":' || shown || '}';
END;
$$`, name, suffix, slot)
}

// show reads an integration.
func (a api) show(ctx context.Context, operation, ref string) (integration, error) {
	name, err := sqlName(ref)
	if err != nil {
		return integration{}, a.fault(operation, providers.ClassRejected, err)
	}
	resp, err := a.run(ctx, operation, showing(name), false)
	if err != nil {
		return integration{}, err
	}
	var s secrets
	if err = row(resp, &s); err != nil {
		return integration{}, resp.Failed(providers.ClassUnavailable, err)
	}
	found, err := s.integration()
	if err != nil {
		return integration{}, resp.Failed(providers.ClassUnavailable, err)
	}
	found.time = resp.Time
	return found, nil
}

// refresh gives a slot (1 or 2) another value. It is the one request of this package that changes something, and is sent once.
func (a api) refresh(ctx context.Context, operation, ref string, slot int) (*httpapi.Response, error) {
	name, err := sqlName(ref)
	if err != nil {
		return nil, a.fault(operation, providers.ClassRejected, err)
	}
	return a.run(ctx, operation, refreshing(name, slot), true)
}

func (a api) run(ctx context.Context, operation, sql string, mutates bool) (*httpapi.Response, error) {
	resp, err := a.client.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodPost, Path: statementsPath, Mutates: mutates,
		JSON: statement{Statement: sql, Timeout: patience, Role: a.role},
	})
	switch {
	case resp == nil:
		return nil, err
	case resp.Status == http.StatusUnprocessableEntity:
		return resp, refusal(resp, mutates)
	case err == nil && resp.Status == http.StatusAccepted && mutates:
		return resp, resp.Failed(providers.ClassIndeterminate, errPending)
	case err == nil && resp.Status == http.StatusAccepted:
		return resp, resp.Failed(providers.ClassUnavailable, errPending)
	}
	return resp, err
}

// refusal reads the answer of a statement that failed. A refresh is two statements in one: only what the first can have said means that
// nothing was changed.
func refusal(resp *httpapi.Response, mutates bool) error {
	var told struct {
		Code string `json:"code"`
	}
	_ = httpapi.Unmarshal(resp.Raw(), &told) // what is not there says nothing
	switch {
	case told.Code == codeUnknown:
		return resp.Failed(providers.ClassNotFound, errUnknown)
	case told.Code == codeRights:
		return resp.Failed(providers.ClassAuth, errRights)
	case mutates:
		return resp.Failed(providers.ClassIndeterminate, errRefused)
	}
	return resp.Failed(providers.ClassRejected, errRefused)
}

// row reads the JSON in the one field of the one row of an answer.
func row(resp *httpapi.Response, into any) error {
	var r result
	if err := resp.Decode(&r); err != nil {
		return err
	}
	return r.field(into)
}

func (r result) field(into any) error {
	if len(r.Data) != 1 || len(r.Data[0]) != 1 || r.Data[0][0] == nil {
		return errRow
	}
	if httpapi.Unmarshal(credential.NewSensitive(*r.Data[0][0]), into) != nil {
		return errRow // the words of a library may repeat the value
	}
	return nil
}

func (s secrets) integration() (integration, error) {
	if s.ClientID == "" || s.First == "" || s.Second == "" || s.First == s.Second {
		return integration{}, errRow
	}
	return integration{
		clientID: s.ClientID, values: [slots]credential.Sensitive{credential.NewSensitive(s.First), credential.NewSensitive(s.Second)},
	}, nil
}

// issued is what a refresh has made.
func (r refreshed) issued() (providers.Issued, error) {
	found, err := r.Secrets.integration()
	if err != nil || r.Slot < 1 || r.Slot > slots {
		return providers.Issued{}, errRow
	}
	return found.issued(r.Slot - 1), nil
}

// issued is a secret as rotad knows it. Snowflake notes no dates of it, and it never expires.
func (i integration) issued(at int) providers.Issued {
	return providers.Issued{
		Secret: credential.Secret{ID: i.id(at), Never: true},
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(i.clientID), credential.FieldClientSecret: i.values[at],
		},
	}
}

// find returns the slot whose secret suits, from 0.
func (i integration) find(suits func(at int) bool) (at int, ok bool) {
	for at := range i.values {
		if suits(at) {
			return at, true
		}
	}
	return 0, false
}

// idRounds makes guessing a secret from its id as slow as it can be without slowing a scan down.
const idRounds = 4096

// id names a secret, which has no name of its own: a slow fingerprint, salted with the client, that nobody can turn back.
func (i integration) id(at int) string {
	sum, err := pbkdf2.Key(sha256.New, i.values[at].Reveal(), []byte("rotad snowflake\x00"+i.clientID), idRounds, 8)
	if err != nil { // the length is constant
		return ""
	}
	return "v-" + hex.EncodeToString(sum)
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}
