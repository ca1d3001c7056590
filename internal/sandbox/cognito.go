package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// PathCognitoToken is the path of the token endpoint of a stand-in for Cognito; its API stands at the root.
const PathCognitoToken = "/oauth2/token" //nolint:gosec // a path

// Cognito is a stand-in for one user pool of Amazon Cognito, written from its service description: the secrets of app clients, two for
// each, by signed requests, and a token endpoint, where a wrong secret is invalid_client with status 400. It is safe for concurrent use.
type Cognito struct {
	now  func() time.Time
	pool string
	key  awsKey // rotad's own
	made func(string)

	mu      sync.Mutex
	clients map[string]*cognitoClient
}

// cognitoPage is what a page of app clients holds at most.
const cognitoPage = 60

type cognitoClient struct {
	id      string
	secrets []cognitoSecret
	made    int
}

type cognitoSecret struct {
	ID      string  `json:"ClientSecretId"`
	Value   string  `json:"ClientSecretValue,omitempty"`
	Created float64 `json:"ClientSecretCreateDate"`
}

// NewCognito returns a user pool without app clients. now is its clock, id and secret are the access key that opens its API, and made is told
// of every secret and token that is made; nil = nobody.
func NewCognito(now func() time.Time, pool, id, secret string, made func(string)) *Cognito {
	return &Cognito{now: now, pool: pool, key: awsKey{id: id, secret: secret}, made: made, clients: map[string]*cognitoClient{}}
}

// Register adds an app client; without a secret it is a public one. ErrDuplicate: its id is taken.
func (c *Cognito) Register(id, secret string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clients[id] != nil {
		return fmt.Errorf("registering %q: %w", id, ErrDuplicate)
	}
	client := &cognitoClient{id: id}
	if secret != "" {
		client.add(c.now(), secret)
	}
	c.clients[id] = client
	return nil
}

func (c *cognitoClient) add(at time.Time, value string) cognitoSecret {
	const thousand = 1000
	s := cognitoSecret{ID: fmt.Sprintf("%s--%d", c.id, at.UnixMilli()), Value: value, Created: float64(at.UnixMilli()) / thousand}
	c.secrets = append(c.secrets, s)
	return s
}

// Made returns how many secrets an app client was given since it was registered.
func (c *Cognito) Made(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client := c.clients[id]; client != nil {
		return client.made
	}
	return 0
}

// Accepts says whether a login with this secret would succeed now.
func (c *Cognito) Accepts(id, secret string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clients[id].admits(secret)
}

func (c *cognitoClient) admits(secret string) bool {
	return c != nil && slices.ContainsFunc(c.secrets, func(s cognitoSecret) bool { return s.Value == secret })
}

// Handler serves the API and the token endpoint.
func (c *Cognito) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", c.api)
	mux.HandleFunc("POST "+PathCognitoToken, c.login)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", c.now().UTC().Format(http.TimeFormat))
		c.mu.Lock()
		defer c.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

func cognitoAnswer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func cognitoRefuse(w http.ResponseWriter, kind, message string) {
	cognitoAnswer(w, http.StatusBadRequest, map[string]string{"__type": "com.amazonaws.cognito#" + kind, "message": message})
}

// api lets requests through that rotad's key has signed.
func (c *Cognito) api(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	var about cognitoAbout
	s, signed := parseSignature(r)
	target, ours := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AWSCognitoIdentityProviderService.")
	switch {
	case err != nil, json.Unmarshal(body, &about) != nil, !ours:
		cognitoRefuse(w, "SerializationException", "")
		return
	case !signed, s.service != "cognito-idp", !strings.HasPrefix(c.pool, s.region+"_"):
		cognitoRefuse(w, "MissingAuthenticationTokenException", "")
		return
	case s.key != c.key.id:
		cognitoRefuse(w, "UnrecognizedClientException", "The security token included in the request is invalid.")
		return
	case c.now().Sub(s.at).Abs() > awsSkew:
		cognitoRefuse(w, "InvalidSignatureException", "Signature expired: "+s.at.String())
		return
	case !s.madeWith(c.key.secret, r, body):
		cognitoRefuse(w, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided.")
		return
	}
	if target == "ListUserPoolClients" && about.UserPoolID == c.pool {
		c.list(w, about)
		return
	}
	client := c.clients[about.ClientID]
	if client == nil || about.UserPoolID != c.pool {
		cognitoRefuse(w, "ResourceNotFoundException", "User pool client "+about.ClientID+" does not exist.")
		return
	}
	c.act(w, client, target, about.ClientSecretID)
}

// cognitoAbout is what a request is about.
type cognitoAbout struct {
	UserPoolID, ClientID, ClientSecretID, NextToken string

	MaxResults int
}

// list shows a page of app clients. Its token is the id that the next page begins with.
func (c *Cognito) list(w http.ResponseWriter, about cognitoAbout) {
	ids := slices.Sorted(maps.Keys(c.clients))
	from, known := slices.BinarySearch(ids, about.NextToken)
	if about.MaxResults < 1 || about.MaxResults > cognitoPage || about.NextToken != "" && !known {
		cognitoRefuse(w, "InvalidParameterException", "")
		return
	}
	shown := []map[string]string{}
	to := min(from+about.MaxResults, len(ids))
	for _, id := range ids[from:to] {
		shown = append(shown, map[string]string{"ClientId": id, "ClientName": "App " + id, "UserPoolId": c.pool})
	}
	body := map[string]any{"UserPoolClients": shown}
	if to < len(ids) {
		body["NextToken"] = ids[to]
	}
	cognitoAnswer(w, http.StatusOK, body)
}

// Forget deletes an app client, as somebody else would.
func (c *Cognito) Forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.clients, id)
}

func (c *Cognito) act(w http.ResponseWriter, client *cognitoClient, target, id string) {
	at := slices.IndexFunc(client.secrets, func(s cognitoSecret) bool { return s.ID == id })
	switch {
	case target == "ListUserPoolClientSecrets":
		shown := []cognitoSecret{}
		for _, s := range client.secrets {
			s.Value = ""
			shown = append(shown, s)
		}
		cognitoAnswer(w, http.StatusOK, map[string]any{"ClientSecrets": shown})
	case target == "AddUserPoolClientSecret" && len(client.secrets) >= awsPerUser:
		cognitoRefuse(w, "LimitExceededException", "")
	case target == "AddUserPoolClientSecret":
		client.made++
		cognitoAnswer(w, http.StatusOK, map[string]any{"ClientSecretDescriptor": client.add(c.now(), told(c.made, rand.Text()+rand.Text()))})
	case target == "DeleteUserPoolClientSecret" && at < 0:
		cognitoRefuse(w, "ResourceNotFoundException", "")
	case target == "DeleteUserPoolClientSecret" && len(client.secrets) == 1:
		cognitoRefuse(w, "InvalidParameterException", "")
	case target == "DeleteUserPoolClientSecret":
		client.secrets = slices.Delete(client.secrets, at, at+1)
		cognitoAnswer(w, http.StatusOK, map[string]any{})
	default:
		cognitoRefuse(w, "UnknownOperationException", "")
	}
}

func (c *Cognito) login(w http.ResponseWriter, r *http.Request) {
	id, secret, _, problem := credentials(w, r)
	switch {
	case problem != "":
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
	case !c.clients[id].admits(secret):
		refuse(w, http.StatusBadRequest, "invalid_client", "")
	case r.PostForm.Get("grant_type") == "authorization_code":
		refuse(w, http.StatusBadRequest, "invalid_grant", "")
	default:
		answer(w, http.StatusOK, tokenReply{AccessToken: told(c.made, rand.Text()), TokenType: "Bearer", ExpiresIn: 3600})
	}
}
