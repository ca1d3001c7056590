package apiserver

import (
	"context"
	"net/http"

	"github.com/rotad/rotad/providers/httpapi"
)

// Right is what a login may do with an object, or with all of a namespace.
type Right struct {
	Verb      string `json:"verb"`
	Group     string `json:"group,omitempty"` // apps; empty = the core of the API
	Resource  string `json:"resource"`        // secrets
	Namespace string `json:"namespace"`
	Name      string `json:"name,omitempty"` // empty = of any name
}

// May asks whether this login has a right. Everybody who is logged in may ask that of oneself, and nothing is changed.
func (s *Server) May(ctx context.Context, r Right) (bool, error) {
	var review struct {
		Status struct {
			Allowed *bool `json:"allowed"`
		} `json:"status"`
	}
	resp, err := s.Do(ctx, httpapi.Request{
		Operation: "review", Method: http.MethodPost, Path: httpapi.Path("apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"),
		JSON: map[string]any{
			"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": map[string]any{"resourceAttributes": r},
		},
	})
	if err != nil {
		return false, err
	}
	if err = resp.Decode(&review); err != nil {
		return false, err
	}
	if review.Status.Allowed == nil {
		return false, resp.Missing("whether it is allowed")
	}
	return *review.Status.Allowed, nil
}
