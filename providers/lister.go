package providers

import (
	"context"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Lister walks a whole tenant page by page, registered clients and others alike. It changes nothing.
//
// Whoever walks begins with the empty cursor and goes on with the Next of each page. A client that is there from the
// first page to the last is listed at least once; one that comes, goes or is renamed meanwhile may be listed twice or not
// at all. ClassRejected for a cursor: the provider does not know it any more, so the walk begins again.
type Lister interface {
	List(ctx context.Context, cursor string) (Page, error)
}

// Page is one page of a walk through a tenant.
type Page struct {
	Clients []Listed
	Next    string    // cursor of the next page; empty = this was the last one. It holds no secret, and may be kept in a file
	Time    time.Time // the provider's clock; zero = not known

	// Requests is how many were sent for this page; 0 = one. Where they outnumber the clients on it, the provider was asked for each of
	// them, and a walk costs more than looks at those that are registered.
	Requests int
}

// Listed is a client as a tenant's list shows it: metadata only, never a value.
type Listed struct {
	Ref     credential.Ref // as a client's ref in the configuration
	Name    string         // for people; empty = the provider has no names
	Owners  []string       // as the provider knows them; nil = it shows none
	Tags    []string       // as the provider keeps them, for rules; nil = it shows none
	Created time.Time      // of the client itself; zero = the provider does not say

	// Snapshot is what Inspect would have said of this client, as far as the list tells it.
	Snapshot Snapshot
	// Whole says that the list tells all that Inspect would: then nobody has to ask for this client alone.
	Whole bool
	// Unusable says why no secret of it can be rotated, where it has none that anybody uses; empty = it can.
	Unusable string
}
