package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Place leads to a cluster.
type Place struct {
	Kubeconfig string // path; empty = the account of the pod that rotad runs in
	Context    string // of the kubeconfig; empty = its current one
}

// limit is how much of an answer is read: a Secret holds up to 1 MiB, in base64, and who owns which field of it.
const limit = 4 << 20

// Verbs of the API, which are the rights of a Role as well.
const (
	VerbGet    = "get"
	VerbCreate = "create"
	VerbPatch  = "patch"
)

// MergePatch is the type of a patch that names what is changed, and nothing else (RFC 7396).
const MergePatch = "application/merge-patch+json"

// Server is an API server, for a few requests in a row. It is closed afterwards: the next ones are rare, and their login
// may be another one.
type Server struct {
	Who        string // whose login it is, for people
	client     *httpapi.Client
	connection connection
}

// Open reads the login and is ready to ask. It sends nothing yet.
func Open(p Place) (*Server, error) {
	a, err := accessOf(p)
	if err != nil {
		return nil, err
	}
	headers := map[string]string{"User-Agent": "rotad"}
	if !a.token.Empty() {
		headers["Authorization"] = "Bearer " + a.token.Reveal()
	}
	c := a.connect()
	client, err := httpapi.New(httpapi.Config{
		Provider: "API server " + a.server.Host, Base: a.server.String(), Headers: headers, Limit: limit, Transport: c,
	})
	return &Server{Who: a.who, client: client, connection: c}, err
}

// Close ends the connection.
func (s *Server) Close() { s.connection.CloseIdleConnections() }

// Do asks, and says of a login that is not accepted whose it is. Every other refusal is for the caller to explain.
func (s *Server) Do(ctx context.Context, r httpapi.Request) (*httpapi.Response, error) {
	resp, err := s.client.Do(ctx, r)
	if err != nil && resp != nil && resp.Status == http.StatusUnauthorized {
		err = resp.Failed(providers.ClassOf(err), fmt.Errorf("the login of %s is not accepted: it has ended, or is for another cluster", s.Who))
	}
	return resp, err
}

// Quiet takes out of an error what the server alone has chosen. It knows the secret and may repeat it there: in base64 it is
// not found among what was sent, and to a look it was not sent at all. Kubernetes has no such codes.
func Quiet(err error) {
	if e, ok := errors.AsType[*providers.Error](err); ok {
		e.Code, e.RequestID = "", ""
	}
}

// status is how the API server says that something failed (meta/v1 Status). Its message is for people and may repeat what was
// sent, so it is not read.
type status struct {
	Kind    string `json:"kind"`
	Reason  string `json:"reason"`
	Details struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	} `json:"details"`
}

// Missing says whether the API server has answered that there is no object of a kind (secrets, deployments) and a name. A
// 404 of anybody else, a proxy for example, is no such answer.
func Missing(resp *httpapi.Response, kind, name string) bool {
	return resp != nil && resp.Status == http.StatusNotFound && SaysMissing(resp.Raw(), kind, name)
}

// SaysMissing says whether the text of an answer is that.
func SaysMissing(text credential.Sensitive, kind, name string) bool {
	var s status
	if httpapi.Unmarshal(text, &s) != nil {
		return false
	}
	return s.Kind == "Status" && s.Reason == "NotFound" && s.Details.Kind == kind && s.Details.Name == name
}
