package credential

import "maps"

// KubernetesPlace is a Secret in a cluster. Only the keys of Names and Previous are rotad's: others live beside them.
type KubernetesPlace struct {
	Namespace  string            `json:"namespace"`
	Secret     string            `json:"secret"`               // metadata.name
	Names      map[string]string `json:"names,omitempty"`      // field of the bundle to key of the Secret; empty = all fields, by their own names
	Previous   map[string]string `json:"previous,omitempty"`   // the same for the old bundle, while it is valid; nil = it is left out
	Kubeconfig string            `json:"kubeconfig,omitempty"` // path of the file; empty = the service account of the pod that rotad runs in
	Context    string            `json:"context,omitempty"`    // of the kubeconfig; empty = its current-context
	Existing   bool              `json:"existing,omitempty"`   // the Secret is changed only, and never made
}

func (k *KubernetesPlace) equal(o *KubernetesPlace) bool {
	if k == nil || o == nil {
		return k == o
	}
	return all(
		k.Namespace == o.Namespace, k.Secret == o.Secret, k.Kubeconfig == o.Kubeconfig, k.Context == o.Context, k.Existing == o.Existing,
		maps.Equal(k.Names, o.Names), maps.Equal(k.Previous, o.Previous), (k.Previous == nil) == (o.Previous == nil),
	)
}
