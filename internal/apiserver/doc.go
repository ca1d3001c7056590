// Package apiserver reaches the API server of a Kubernetes cluster.
//
//	kubeconfig, or the pod's own account ──► access ──► Server ──┬──► a Secret that holds a copy
//	   (read anew each time)                                     └──► a workload that is restarted
//
// A few requests need no client library. What is done with an object is decided by whoever asks; who asks, over which
// connection, and what an answer may be taken for is decided here.
package apiserver
