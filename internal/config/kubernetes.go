package config

import (
	"fmt"
	"path/filepath"
	"regexp"

	"github.com/rotad/rotad/internal/credential"
)

// kubernetesSettings is a Secret in a cluster as it is written.
type kubernetesSettings struct {
	// Namespace of the Secret.
	Namespace string `yaml:"namespace" json:"namespace" required:"true"`
	// Secret is its name. Only the keys of names and previous are rotad's; all others stay as they are.
	Secret string `yaml:"secret" json:"secret" required:"true"`
	// Names of the fields of the bundle as keys of the Secret, for example {client_secret: AUTH_CLIENT_SECRET}, and of the version in Vault, as {version: AUTH_VERSION}; not written = all fields, by their own names, without the version.
	Names map[string]string `yaml:"names" json:"names"`
	// Previous gives the old secret keys beside the new one, for as long as both are valid; not written = it is left out.
	Previous map[string]string `yaml:"previous" json:"previous"`
	// KubeconfigFile leads to the cluster, with a token, a tokenFile or a client certificate; not written = the service account of the pod that rotad runs in.
	KubeconfigFile string `yaml:"kubeconfig_file" json:"kubeconfig_file"`
	// Context of the kubeconfig; not written = its current-context.
	Context string `yaml:"context" json:"context"`
	// Create makes a Secret that is missing, of the type Opaque.
	Create *bool `yaml:"create" json:"create" implied:"true"`
}

func (k *kubernetesSettings) place() *credential.KubernetesPlace {
	if k == nil {
		return nil
	}
	return &credential.KubernetesPlace{
		Namespace: k.Namespace, Secret: k.Secret, Names: k.Names, Previous: k.Previous, Kubeconfig: k.KubeconfigFile,
		Context: k.Context, Existing: k.Create != nil && !*k.Create,
	}
}

// Names of objects and keys of data as Kubernetes takes them
// (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
var (
	kubernetesLabel  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	kubernetesObject = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	kubernetesKey    = regexp.MustCompile(`^(\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,251})$`)
)

func (c *complaint) kubernetesPlace(path string, k *credential.KubernetesPlace) {
	const allowed = "small letters, digits and - are allowed, no - at the ends"
	c.required(path+".namespace", k.Namespace)
	if k.Namespace != "" && !kubernetesLabel.MatchString(k.Namespace) {
		c.add(path+".namespace", fmt.Sprintf("%q is no name of a namespace", k.Namespace), allowed)
	}
	c.required(path+".secret", k.Secret)
	if k.Secret != "" && (len(k.Secret) > maxName || !kubernetesObject.MatchString(k.Secret)) {
		c.add(path+".secret", fmt.Sprintf("%q is no name of a Secret", k.Secret), allowed+"; and dots between such names")
	}
	if k.Kubeconfig != "" && !filepath.IsAbs(k.Kubeconfig) {
		c.add(path+".kubeconfig_file", fmt.Sprintf("%q is no absolute path", k.Kubeconfig), "")
	}
	if k.Context != "" && k.Kubeconfig == "" {
		c.add(path+".context", "belongs to a kubeconfig_file", "write both, or none where rotad runs in the cluster")
	}
	c.distinct(path, k.Names, k.Previous, func(name string) (what, hint string) {
		if kubernetesKey.MatchString(name) {
			return "", ""
		}
		return fmt.Sprintf("%q is no key of a Secret", name), "letters, digits and - _ . are allowed"
	})
}
