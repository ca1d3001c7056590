package vault

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/rotad/rotad/internal/credential"
)

// forcedPause is the least time between two logins that refusals force: a right that is missing must not turn every
// call into a login.
const forcedPause = time.Minute

// session is one token and what is known about its life. It never changes; a renewal makes a new one.
type session struct {
	api       *api.Client // with the token, in the configured namespace
	token     string
	full      time.Duration // life at login; 0 = for ever
	ttl       time.Duration // life at the last grant; 0 = for ever
	renewable bool
	at        time.Time     // wall clock before the grant was asked for
	elapsed   time.Duration // the same on the monotonic clock
}

// client returns the library's client for a namespace; empty = the configured one.
func (s *session) client(namespace string) *api.Client {
	if namespace == "" {
		return s.api
	}
	return s.api.WithNamespace(namespace)
}

// Login logs in now, whatever token is at hand. credential.ErrDenied: Vault does not accept the credentials.
func (c *Client) Login(ctx context.Context) error {
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	_, err := c.enter(ctx)
	return err
}

// lock waits for its turn to log in, as long as ctx allows: while Vault is silent, callers must not queue up behind
// each other's deadlines.
func (c *Client) lock(ctx context.Context) error {
	select {
	case c.login <- struct{}{}:
		return nil
	case <-ctx.Done():
		return failure("logging in to", "", ctx.Err())
	}
}

func (c *Client) unlock() { <-c.login }

// loggedIn returns the session, and makes the first one.
func (c *Client) loggedIn(ctx context.Context) (*session, error) {
	if s := c.session.Load(); s != nil {
		return s, nil
	}
	if err := c.lock(ctx); err != nil {
		return nil, err
	}
	defer c.unlock()
	if s := c.session.Load(); s != nil {
		return s, nil
	}
	return c.enter(ctx)
}

// loginAgain replaces a session that Vault has refused. It returns nil if there is no better one: the login failed, it
// gave the same token, or one was forced a moment ago. own says that this call has logged in, rather than another one
// that was refused as well.
func (c *Client) loginAgain(ctx context.Context, refused *session) (fresh *session, own bool) {
	if c.lock(ctx) != nil {
		return nil, false
	}
	defer c.unlock()
	if s := c.session.Load(); s != refused {
		return s, false
	}
	if c.clock.Elapsed()-c.forced < forcedPause {
		return nil, false
	}
	c.forced = c.clock.Elapsed()
	fresh, err := c.enter(ctx)
	if err != nil {
		c.log.WarnContext(ctx, "vault refused a call, and the login after it", "error", err)
		return nil, false
	}
	if fresh.token == refused.token {
		return nil, false
	}
	return fresh, true
}

// enter logs in and stores the session. the lock is held.
func (c *Client) enter(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, c.settings.Timeout)
	defer cancel()
	s := &session{at: c.clock.Now(), elapsed: c.clock.Elapsed()}
	var err error
	switch c.settings.Auth.Method {
	case MethodAppRole:
		err = c.enterByAppRole(ctx, s)
	case MethodJWT, MethodKubernetes:
		err = c.enterByJWT(ctx, s)
	default:
		err = c.enterByToken(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	s.full = s.ttl
	s.api = c.withToken(s.token)
	c.session.Store(s)
	return s, nil
}

// withToken copies the client that has no token. A shared one must not be changed: the library copies its clients
// without a lock when it switches the namespace.
func (c *Client) withToken(token string) *api.Client {
	client := c.base.WithNamespace(c.settings.Namespace)
	client.SetToken(token)
	return client
}

func (c *Client) enterByAppRole(ctx context.Context, s *session) error {
	auth := c.settings.Auth
	q := call{op: "logging in to", path: "auth/" + auth.Mount + "/login"}
	body := map[string]any{"role_id": auth.RoleID}
	if auth.SecretIDFile != "" || auth.SecretIDEnv != "" {
		id, err := readSecret("secret id", auth.SecretIDFile, auth.SecretIDEnv)
		if err != nil {
			return err
		}
		body["secret_id"] = id
	}
	secret, err := c.base.Logical().WriteWithContext(ctx, q.path, body)
	if err != nil {
		return deniedLogin(failure(q.op, q.path, err))
	}
	return s.granted(q, secret)
}

// granted takes over the token that a login has given.
func (s *session) granted(q call, secret *api.Secret) error {
	if secret == nil || secret.Auth == nil || secret.Auth.ClientToken == "" {
		return q.notUnderstood("the answer holds no token")
	}
	s.token = secret.Auth.ClientToken
	s.ttl = time.Duration(secret.Auth.LeaseDuration) * time.Second
	s.renewable = secret.Auth.Renewable
	return nil
}

func (c *Client) enterByToken(ctx context.Context, s *session) error {
	token, err := readSecret("vault token", c.settings.Auth.TokenFile, c.settings.Auth.TokenEnv)
	if err != nil {
		return err
	}
	q := call{op: "looking at the token in", path: "auth/token/lookup-self"}
	secret, err := c.withToken(token).Logical().ReadWithContext(ctx, q.path)
	if err != nil {
		return deniedLogin(failure(q.op, q.path, err))
	}
	if secret == nil {
		return q.notUnderstood("the answer says nothing about the token")
	}
	s.token = token
	if s.ttl, err = secret.TokenTTL(); err != nil {
		return q.notUnderstood("the answer does not say how long the token lives")
	}
	s.renewable, _ = secret.Data["renewable"].(bool)
	return nil
}

// deniedLogin reads a rejected login as a refusal: Vault answers 400 to a role id or secret id that it does not accept.
func deniedLogin(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || (e.Class != ClassRejected && e.Class != ClassDenied) {
		return err
	}
	return &Error{
		Op: e.Op, Path: e.Path, Class: ClassDenied, Status: e.Status, cause: credential.ErrDenied,
		Detail: "vault does not accept these credentials, or there is no such auth method",
	}
}

// renew extends the current token. the lock is held.
func (c *Client) renew(ctx context.Context, s *session) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, c.settings.Timeout)
	defer cancel()
	fresh := *s
	fresh.at, fresh.elapsed = c.clock.Now(), c.clock.Elapsed()
	q := call{op: "renewing the token in", path: "auth/token/renew-self"}
	secret, err := s.api.Logical().WriteWithContext(ctx, q.path, map[string]any{})
	if err != nil {
		return nil, failure(q.op, q.path, err)
	}
	if secret == nil || secret.Auth == nil {
		return nil, q.notUnderstood("the answer does not say how long the token lives")
	}
	fresh.ttl = time.Duration(secret.Auth.LeaseDuration) * time.Second
	fresh.renewable = secret.Auth.Renewable
	c.session.Store(&fresh)
	return &fresh, nil
}

// TokenExpires returns when the token ends, on the wall clock; zero = never. Without a token it returns the Unix
// epoch, so that nothing is begun with it.
func (c *Client) TokenExpires() time.Time {
	s := c.session.Load()
	switch {
	case s == nil:
		return time.Unix(0, 0).UTC()
	case s.ttl == 0:
		return time.Time{}
	}
	return s.at.Add(s.ttl).UTC()
}

// Time returns Vault's own clock, to the second. It needs no token, and a sealed Vault answers as well.
func (c *Client) Time(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, c.settings.Timeout)
	defer cancel()
	health, err := c.health(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(health.ServerTimeUTC, 0).UTC(), nil
}

func (c *Client) health(ctx context.Context) (*api.HealthResponse, error) {
	q := call{op: "asking for the health of", path: "sys/health"}
	health, err := c.base.WithNamespace("").Sys().HealthWithContext(ctx) // it exists in the root namespace only
	switch {
	case err != nil:
		return nil, failure(q.op, q.path, err)
	case health.ServerTimeUTC == 0:
		return nil, q.notUnderstood("the answer has no time")
	}
	return health, nil
}
