package credential

import "time"

// StagingPhase is the phase word of an entry in Vault staging.
type StagingPhase string

// The phase words of a staging entry.
const (
	StagingIntent   StagingPhase = "intent"   // the fence: a create may have been sent
	StagingPending  StagingPhase = "pending"  // a caller-chosen value, before it is set at the provider
	StagingReceived StagingPhase = "received" // a reply that could not be read, kept raw; never adopted or promoted
	StagingStaged   StagingPhase = "staged"   // the new bundle
	StagingIdle     StagingPhase = "idle"     // no value; names the current secret
)

// Staging is one version of a client's entry in Vault staging: the second witness beside the state file. It is the
// only persisted type that carries clear values, and Vault is the only place it is written to.
type Staging struct {
	Client   string // client id
	Rotation string
	Attempt  int
	Phase    StagingPhase
	Instance string    // which rotad wrote it
	Boot     string    // and which of its processes: two that share a store can write in the same microsecond
	FencedAt time.Time // of the fence of this attempt
	Earlier  time.Time // of the fence of an attempt before it that was not settled when this one was fenced; zero = there is none
	Before   []string  // ids seen before
	OldID    string
	Consumer int       // consumer version before the rotation; of an idle entry: the one that the rotation published
	Label    string    // label of this attempt
	New      Secret    // of a staged entry: the new secret; of an idle one: the current secret
	Bundle   Bundle    // of a staged or pending entry
	Raw      Sensitive // of a received entry: the reply's body
}

// Entry is a Staging as it stands in Vault.
type Entry struct {
	Staging
	Version int       // 0 = there is no entry
	Created time.Time // Vault's time of this version
	Deleted bool      // the version exists without a value
}

// Consumer is one version of what consumers read.
type Consumer struct {
	Version int       // the current version; 0 = the path has never been written
	Created time.Time // Vault's time of that version
	Deleted bool      // that version has been deleted or destroyed
	Bundle  Bundle    // the mapped fields that are present, under their bundle names
}
