// Package vault is rotad's client of HashiCorp Vault: it stages what a rotation holds in hand, publishes bundles where
// consumers read them, and keeps its own token alive. It speaks KV version 2 only.
//
//	rotation ──► Staging, Stage ──────► <mount>/data/<staging>/<key>   intent | pending | received | staged | idle
//	         ──► Consumer, Promote ───► <mount>/data/<path>            the bundle, merged into what others keep there
//	         ──► Annotate ────────────► <mount>/metadata/<path>        custom_metadata, for people
//	         ──► Destroy... ──────────► <mount>/destroy/...            versions, by number
//	destination ─► HasKeys, PutKeys ─► <mount>/data/<path>            a copy, merged into what others keep there
//	cmd ──────► Run ──────────────────► auth/.../login, auth/token/renew-self
//
// Three rules hold everywhere. A request is sent once: repeating a write whose reply was lost turns our own success
// into a mismatch, so whoever asked reads back and compares. What was written is decided by compare-and-swap alone,
// because reads may come from a standby that is behind. And no error carries a word of a reply, because replies carry
// secrets: an error says what was done, where, and which class of failure it was.
package vault
