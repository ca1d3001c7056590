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

// kubernetesLetters is the hint for names that Kubernetes would not take.
const kubernetesLetters = "small letters, digits and - are allowed, no - at the ends"

func isKubernetesObject(name string) bool {
	return len(name) <= maxName && kubernetesObject.MatchString(name)
}

// kubernetesAccess checks what leads to a namespace of a cluster.
func (c *complaint) kubernetesAccess(path, namespace, kubeconfig, context string) {
	c.required(path+".namespace", namespace)
	if namespace != "" && !kubernetesLabel.MatchString(namespace) {
		c.add(path+".namespace", fmt.Sprintf("%q is no name of a namespace", namespace), kubernetesLetters)
	}
	if kubeconfig != "" && !filepath.IsAbs(kubeconfig) {
		c.add(path+".kubeconfig_file", fmt.Sprintf("%q is no absolute path", kubeconfig), "")
	}
	if context != "" && kubeconfig == "" {
		c.add(path+".context", "belongs to a kubeconfig_file", "write both, or none where rotad runs in the cluster")
	}
}

// rollout checks the workload that a step of a reload restarts.
func (c *complaint) rollout(path string, w *credential.RolloutReload) {
	c.kubernetesAccess(path, w.Namespace, w.Kubeconfig, w.Context)
	c.required(path+".workload", w.Workload)
	if _, name, ok := w.Named(); w.Workload != "" && (!ok || !isKubernetesObject(name)) {
		c.add(path+".workload", fmt.Sprintf("%q is no workload that can be restarted", w.Workload),
			"write deployment/NAME, statefulset/NAME or daemonset/NAME; in a name "+kubernetesLetters)
	}
}

func (c *complaint) kubernetesPlace(path string, k *credential.KubernetesPlace) {
	c.kubernetesAccess(path, k.Namespace, k.Kubeconfig, k.Context)
	c.required(path+".secret", k.Secret)
	if k.Secret != "" && !isKubernetesObject(k.Secret) {
		c.add(path+".secret", fmt.Sprintf("%q is no name of a Secret", k.Secret), kubernetesLetters+"; and dots between such names")
	}
	c.distinct(path, k.Names, k.Previous, func(name string) (what, hint string) {
		if kubernetesKey.MatchString(name) {
			return "", ""
		}
		return fmt.Sprintf("%q is no key of a Secret", name), "letters, digits and - _ . are allowed"
	})
}
