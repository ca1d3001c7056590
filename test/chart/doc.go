// Package chart proves the Helm chart: with a real helm, against a real kube-apiserver, and with the built rotad.
//
//	deploy/helm/rotad ──► helm lint, helm template ──► golden files, values that are refused
//	      │                    └──► the files of a pod, laid out ──► rotad check
//	      └──► helm install, upgrade, rollback, test, uninstall ──► kube-apiserver: strict, "restricted" enforced
//
// There is no kubelet, so the tests play one where a hook waits for a pod: they lay out its volumes as it would, run the
// command of its container with the built rotad, and report how that ended.
package chart
