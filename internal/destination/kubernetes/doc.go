// Package kubernetes keeps a copy of a bundle in a Secret of a cluster.
//
//	the API server, reached by apiserver ──► GET the Secret ──► same? ── yes ──► nothing is touched
//	                                             ▲                │ no
//	  read back ◄── 2xx ── PATCH of rotad's keys on that resourceVersion, or POST
//	                                             └─── 409: somebody was faster
//
// The patch names rotad's keys and nothing else, so that the keys, labels and annotations of others are never sent, and
// cannot be lost. The resourceVersion in it makes it a compare-and-swap.
package kubernetes
