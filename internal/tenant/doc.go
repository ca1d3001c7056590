// Package tenant reads whole tenants: a walk page by page that can be cut off anywhere and goes on, what each credential
// that it meets is, which rules adopt it, and what differs from what rotad has on record.
//
//	providers.Lister ──► Walk ──► page ──► Rows (made by whom, how old, left behind) ──► listing
//	      ▲ cursor        │         └────► Rules.Match ──► entries of the configuration
//	      └── Progress ◄──┘         └────► Compare(records) ──► drift
//
// Nothing here writes to a provider, and nothing of a page is kept after it: memory does not grow with the tenant.
package tenant
