package notify

// What tests look at directly: what goes over the line, and how a calendar object reads back.
var (
	Dotted   = dotted
	ReadBack = readBack
	// Signatures signs a body, for the published vector.
	Signatures = signatures
	RetryAfter = retryAfter
)
