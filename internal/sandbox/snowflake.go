package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Paths of a stand-in for Snowflake below the address that its Handler is served at.
const (
	PathSnowflakeSQL   = "/api/v2/statements"
	PathSnowflakeToken = "/oauth/token-request" //nolint:gosec // a path
)

// Snowflake is a stand-in for an account of Snowflake with OAuth integrations, written from its documentation: the SQL API, which knows the two
// statements that rotad sends, and the token endpoint. Like the original it shows secrets, so it keeps clear values. It is safe for
// concurrent use.
type Snowflake struct {
	now    func() time.Time
	admits func(kind, token string) bool
	made   func(string)

	mu           sync.Mutex
	integrations map[string]*snowflakeIntegration // by name
}

type snowflakeIntegration struct {
	clientID string
	secrets  [2]string
	count    int
}

// NewSnowflake returns an account without integrations. now is its clock, admits says which login opens the SQL API, by the sort of the
// token, and made is told of every secret that is made; nil = nobody.
func NewSnowflake(now func() time.Time, admits func(kind, token string) bool, made func(string)) *Snowflake {
	return &Snowflake{now: now, admits: admits, made: made, integrations: map[string]*snowflakeIntegration{}}
}

// Register adds an integration with its first secret; the second is a random one. ErrDuplicate: its name is taken.
func (s *Snowflake) Register(name, clientID, secret string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.integrations[name] != nil {
		return fmt.Errorf("registering %q: %w", name, ErrDuplicate)
	}
	s.integrations[name] = &snowflakeIntegration{clientID: clientID, secrets: [2]string{secret, s.value()}}
	return nil
}

// value is like those of the original: 32 random bytes in Base64, with a padding.
func (s *Snowflake) value() string {
	sum := sha256.Sum256([]byte(rand.Text()))
	return told(s.made, base64.StdEncoding.EncodeToString(sum[:]))
}

// Made returns how often a secret of an integration has been refreshed.
func (s *Snowflake) Made(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.integrations[name]; i != nil {
		return i.count
	}
	return 0
}

// Accepts says whether a login with this secret would succeed now.
func (s *Snowflake) Accepts(clientID, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepts(clientID, secret)
}

func (s *Snowflake) accepts(clientID, secret string) bool {
	for _, i := range s.integrations {
		if i.clientID == clientID && secret != "" && (i.secrets[0] == secret || i.secrets[1] == secret) {
			return true
		}
	}
	return false
}

// Handler serves the SQL API and the token endpoint.
func (s *Snowflake) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathSnowflakeSQL, s.own(s.statement))
	mux.HandleFunc("GET "+PathSnowflakeSQL+"/{handle}", s.own(func(w http.ResponseWriter, _ *http.Request) {
		sqlError(w, http.StatusNotFound, "000709", "statement not found")
	}))
	mux.HandleFunc("POST "+PathSnowflakeToken, s.token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		s.mu.Lock()
		defer s.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

func sqlError(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]any{"code": code, "message": message, "sqlState": "00000", "statementHandle": "sandbox"})
}

func (s *Snowflake) own(do http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !s.admits(r.Header.Get("X-Snowflake-Authorization-Token-Type"), token) {
			sqlError(w, http.StatusUnauthorized, "390144", "the token is invalid")
			return
		}
		do(w, r)
	}
}

// The two statements that it knows. What else may stand in them is not its business: it knows no more SQL than that.
var (
	sqlShow    = regexp.MustCompile(`^SELECT SYSTEM\$SHOW_OAUTH_CLIENT_SECRETS\('([A-Z0-9_]+)'\)$`)
	sqlRefresh = regexp.MustCompile(`^EXECUTE IMMEDIATE \$\$\s+BEGIN\s+ALTER SECURITY INTEGRATION "([A-Z0-9_]+)" REFRESH OAUTH_CLIENT_SECRET(_2)?;\s+` +
		`LET shown VARCHAR := \(SELECT SYSTEM\$SHOW_OAUTH_CLIENT_SECRETS\('([A-Z0-9_]+)'\)\);\s+` +
		`RETURN '\{"slot":([12]),"secrets":' \|\| shown \|\| '\}';\s+END;\s+\$\$$`)
)

func (s *Snowflake) statement(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Statement string `json:"statement"`
	}
	if !decode(w, r, &body) {
		sqlError(w, http.StatusBadRequest, "391905", "the body is not understood")
		return
	}
	if m := sqlShow.FindStringSubmatch(body.Statement); m != nil {
		s.reply(w, m[1], func(i *snowflakeIntegration) string { return i.show() })
		return
	}
	m := sqlRefresh.FindStringSubmatch(body.Statement)
	if m == nil || m[1] != m[3] {
		sqlError(w, http.StatusUnprocessableEntity, "001003", "SQL compilation error: syntax error")
		return
	}
	s.reply(w, m[1], func(i *snowflakeIntegration) string {
		slot := 0
		if m[2] != "" {
			slot = 1
		}
		i.secrets[slot] = s.value()
		i.count++
		return `{"slot":` + m[4] + `,"secrets":` + i.show() + `}`
	})
}

func (i *snowflakeIntegration) show() string {
	text, err := json.Marshal(map[string]string{
		"OAUTH_CLIENT_ID": i.clientID, "OAUTH_CLIENT_SECRET": i.secrets[0], "OAUTH_CLIENT_SECRET_2": i.secrets[1],
	})
	if err != nil { // texts can always be written
		return strconv.Quote(err.Error())
	}
	return string(text)
}

// reply answers with one row of one column.
func (s *Snowflake) reply(w http.ResponseWriter, name string, field func(*snowflakeIntegration) string) {
	i := s.integrations[name]
	if i == nil {
		sqlError(w, http.StatusUnprocessableEntity, "002003", "SQL compilation error: the integration does not exist or not authorized")
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"resultSetMetaData": map[string]any{"numRows": 1, "format": "jsonv2", "rowType": []any{map[string]any{"name": "RESULT", "type": "text"}}},
		"data":              [][]string{{field(i)}}, "code": "090001", "message": "Statement executed successfully.", "statementHandle": "sandbox",
	})
}

// token is the token endpoint, for codes that never exist. The pair in the header is taken as it stands.
func (s *Snowflake) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "the body is no form")
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	switch {
	case !s.accepts(id, secret):
		refuse(w, http.StatusBadRequest, "invalid_client", "This is an invalid client.")
	case r.PostForm.Get("grant_type") != "authorization_code":
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "")
	default:
		refuse(w, http.StatusBadRequest, "invalid_grant", "the code is not known")
	}
}
