package servers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// AddAccount makes a service account, and its namespace if there is none.
func (k *Kubernetes) AddAccount(ctx context.Context, namespace, name string) error {
	err := k.Ask(ctx, http.MethodPost, "/api/v1/namespaces", map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace},
	}, nil)
	if err != nil && !isStatus(err, http.StatusConflict) {
		return fmt.Errorf("making the namespace %s: %w", namespace, err)
	}
	return k.Ask(ctx, http.MethodPost, accounts(namespace), map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": name},
	}, nil)
}

// DeleteAccount removes a service account. Its tokens are refused from then on.
func (k *Kubernetes) DeleteAccount(ctx context.Context, namespace, name string) error {
	return k.Ask(ctx, http.MethodDelete, accounts(namespace)+"/"+name, nil, nil)
}

func accounts(namespace string) string { return "/api/v1/namespaces/" + namespace + "/serviceaccounts" }

// AccountToken returns a token of a service account as a kubelet gets it for a pod; audience empty = the API server.
func (k *Kubernetes) AccountToken(ctx context.Context, namespace, name, audience string) (string, error) {
	spec := map[string]any{"expirationSeconds": 600}
	if audience != "" {
		spec["audiences"] = []string{audience}
	}
	var out struct {
		Status struct {
			Token string `json:"token"`
		} `json:"status"`
	}
	err := k.Ask(ctx, http.MethodPost, accounts(namespace)+"/"+name+"/token", map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec,
	}, &out)
	return out.Status.Token, err
}

// reviewers is the binding of who may ask for a TokenReview.
const reviewers = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"

// Delegate lets a service account ask whose token it was shown, or takes that right away.
func (k *Kubernetes) Delegate(ctx context.Context, namespace, name string, may bool) error {
	binding := "delegate-" + namespace + "-" + name
	var err error
	if may {
		err = k.Ask(ctx, http.MethodPost, reviewers, map[string]any{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": map[string]any{"name": binding},
			"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "namespace": namespace, "name": name}},
		}, nil)
	} else {
		err = k.Ask(ctx, http.MethodDelete, reviewers+"/"+binding, nil, nil)
	}
	if err != nil {
		return err
	}
	return Until(ctx, 30*time.Second, 20*time.Millisecond, func(ctx context.Context) error { return k.allows(ctx, namespace, name, may) })
}

var errNotYet = errors.New("the server has not heard of the change of a right yet")

// allows is nil once the server decides by a change: it watches its own rights, and decides by what it has seen.
func (k *Kubernetes) allows(ctx context.Context, namespace, name string, may bool) error {
	var review struct {
		Status struct {
			Allowed bool `json:"allowed"`
		} `json:"status"`
	}
	err := k.Ask(ctx, http.MethodPost, "/apis/authorization.k8s.io/v1/subjectaccessreviews", map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
		"spec": map[string]any{
			"user":               "system:serviceaccount:" + namespace + ":" + name,
			"resourceAttributes": map[string]any{"group": "authentication.k8s.io", "resource": "tokenreviews", "verb": "create"},
		},
	}, &review)
	if err == nil && review.Status.Allowed != may {
		err = errNotYet
	}
	return err
}

// Trust makes a Vault show tokens of service accounts to this cluster, with a reviewer's token.
func (k *Kubernetes) Trust(ctx context.Context, v *Vault, reviewer string) error {
	authority, err := os.ReadFile(k.CAFile)
	if err != nil {
		return fmt.Errorf("reading the certificate of kubernetes: %w", err)
	}
	return v.Configure(ctx, "auth/kubernetes/config", map[string]any{
		"kubernetes_host": k.URL, "kubernetes_ca_cert": string(authority), "token_reviewer_jwt": reviewer,
		"disable_local_ca_jwt": true,
	})
}
