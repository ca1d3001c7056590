package kubernetes

import (
	"errors"
	"fmt"
)

// secret is what is read of a Secret (core/v1). All the rest of it is never touched.
type secret struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name            string `json:"name"`
		Namespace       string `json:"namespace"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Type      string            `json:"type"`
	Immutable bool              `json:"immutable"`
	Data      map[string][]byte `json:"data"`
}

// is says whether an answer is the Secret that was asked for.
func (s *secret) is(namespace, name string) bool {
	return s.Kind == "Secret" && s.Metadata.Name == name && s.Metadata.Namespace == namespace && s.Metadata.ResourceVersion != ""
}

// foreignTypes are types whose keys mean something to Kubernetes or to Helm, and are written by others
// (https://kubernetes.io/docs/concepts/configuration/secret/#secret-types). basic-auth has a user's name and a password, which
// a bundle may have as well.
var foreignTypes = []string{
	"kubernetes.io/service-account-token", "kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson", "kubernetes.io/ssh-auth",
	"kubernetes.io/tls", "bootstrap.kubernetes.io/token", "helm.sh/release.v1",
}

// changeable says what keeps a Secret from being changed, before the API server would.
func (s *secret) changeable() error {
	if s.Immutable {
		return errors.New("it is immutable, and nobody can change it: delete it and rotad makes it anew, or name another Secret")
	}
	for _, foreign := range foreignTypes {
		if s.Type == foreign {
			return fmt.Errorf("it is of the type %s, which holds something else: name a Secret of the type Opaque", foreign)
		}
	}
	return nil
}
