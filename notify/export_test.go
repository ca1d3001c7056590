package notify

// What tests look at directly: what goes over the line, and how a calendar object reads back.
var (
	Dotted   = dotted
	ReadBack = readBack
	// Signatures signs a body, for the published vector.
	Signatures = signatures
	RetryAfter = retryAfter
	GCPercent  = gcPercent
)

// Garbage is how much garbage may lie about.
type Garbage struct{ garbage }

// Allow lets more lie about, or ends that.
func (g *Garbage) Allow(more bool) { g.allow(more) }
