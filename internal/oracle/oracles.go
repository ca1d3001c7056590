package oracle

// oracles is the list of what rotad claims, in the order of the invariants. Nothing changes it.
var oracles = []Oracle{
	{
		Invariant: "I1", Name: "access",
		Sentence: "At every instant the provider accepts the value that Vault hands out; in a permitted cutover, that one, the " +
			"staged one or the one before.",
		moment: access, before: takesAccess,
	},
	{
		Invariant: "I2", Name: "no-early-revoke",
		Sentence: "A secret that was in use is revoked only when the new one is staged, verified, promoted and accepted, the " +
			"point of no return is durable and names it, and Vault hands out another value.",
		before: earlyRevoke,
	},
	{
		Invariant: "I3", Name: "ownership",
		Sentence: "Only secrets that rotad made, adopted, or was told to discard are revoked, and never the last one that is accepted and that " +
			"anybody has been given.",
		before: ownership,
	},
	{
		Invariant: "I4", Name: "single-flight",
		Sentence: "A client has at most one rotation at a time: once the next one has begun, nothing happens for the one before.",
		quiet:    singleFlight,
	},
	{
		Invariant: "I5", Name: "no-resurrection",
		Sentence: "A secret past its point of no return never becomes current again.",
		moment:   resurrected, quiet: resurrection,
	},
	{
		Invariant: "I6", Name: "bounded-orphans",
		Sentence: "At most one secret of a client is nobody's at a time, and none when all is quiet.",
		moment:   oneOrphan, quiet: noOrphans,
	},
	{
		Invariant: "I7", Name: "confidentiality",
		Sentence: "No record, audit entry or notice holds a clear value.",
		quiet:    confidential,
	},
	{
		Invariant: "I8", Name: "intent-first",
		Sentence: "Nothing outside is changed without a durable intent that names the change.",
		before:   intentFirst,
	},
	{
		Invariant: "I9", Name: "convergence",
		Sentence: "Whatever happens ends in a steady client whose value is accepted, or in a hold that a person is told of.",
		moment:   neverForgotten, quiet: converged,
	},
	{
		Invariant: "I10", Name: "fencing",
		Sentence: "A promote replaces the value that the rotation began with, or the one that it brings, and no other.",
		before:   fencing,
	},
	{
		Invariant: "I12", Name: "timeliness",
		Sentence: "No secret in use expires without a rotation, a hold or a word about it.",
		moment:   timely,
	},
	{
		Invariant: "I13", Name: "unknown-is-not-failed",
		Sentence: "After an unknown outcome nothing new is created before the old attempt is settled.",
		before:   unknownIsNotFailed,
	},
	{
		Invariant: "I14", Name: "foreign-change",
		Sentence: "Where Vault hands out a value that somebody else wrote, nothing is overwritten, revoked or destroyed.",
		before:   foreignChange,
	},
	{
		Invariant: "I16", Name: "clock",
		Sentence: "No clock that jumps shortens an overlap: a revoke comes when the overlap has truly passed.",
		before:   trueOverlap,
	},
	{
		Invariant: "I17", Name: "audit",
		Sentence: "What was revoked, promoted or found to be nobody's stands in the audit before or with its outcome.",
		before:   writtenDown, quiet: accountedFor,
	},
	{
		Invariant: "I18", Name: "pause",
		Sentence: "A client that a person holds has nothing revoked and nothing begun.",
		before:   paused,
	},
	{
		Invariant: "I19", Name: "copies",
		Sentence: "The old secret is not revoked while a destination hands it out or a consumer has not been reloaded, unless a person " +
			"let it go; in the end every destination hands out what Vault does.",
		before: lastCopy, quiet: everyCopy,
	},
	{
		Invariant: "I20", Name: "in-use",
		Sentence: "An old secret that its policy keeps for its consumers is not revoked while one has said that it runs on it, unless a person " +
			"let it go.",
		before: lastUser,
	},
}
