// Package vaultlog reads Vault's audit log for who has read which version of a bundle, so that a consumer that says nothing is
// known to have the new one.
//
//	audit log ──► Follower: each line once, also when the file is ──► Parse ──► Read ──► the daemon: whose consumer is that?
//	              rotated, cut short, or rotad has been away
//
// An entry holds values as HMACs, and an audit device with log_raw as they are: what is no name, number or path of a Read is
// never kept, nor shown.
package vaultlog
