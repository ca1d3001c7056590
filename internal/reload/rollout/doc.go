// Package rollout replaces the pods of a workload in a cluster of Kubernetes, so that they start with a new secret.
//
//	Restart ──► GET the workload ──► can it? ──► marked for this occasion? ── yes ──► nothing is touched
//	                                                    │ no
//	                                                    └──► PATCH of one annotation of its pods
//	Settled ──► GET the workload ──► still marked? ──► has its controller replaced every pod?
//
// The mark names client, version and rotation: the same step done twice restarts nothing twice, unlike the time that
// "kubectl rollout restart" writes. Each client has a mark of its own, so that two of them do not restart one workload in turns.
package rollout
