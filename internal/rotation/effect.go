package rotation

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Effect is one thing to do in the world. The zero value is "nothing: wait until the record is due".
type Effect string

// The effects.
const (
	EffectNone       Effect = ""
	EffectLook       Effect = "look"       // observe provider and Vault
	EffectPrepare    Effect = "prepare"    // look, and prove Vault's value, before an intent
	EffectCreate     Effect = "create"     // fence, create once, stage
	EffectSettle     Effect = "settle"     // find out what became of an unknown create
	EffectCompensate Effect = "compensate" // delete the one orphan
	EffectVerify     Effect = "verify"     // ask once whether the staged secret is accepted
	EffectPromote    Effect = "promote"    // publish the staged bundle
	EffectShown      Effect = "shown"      // does the provider show the staged secret as current?
	EffectProve      Effect = "prove"      // ask with the new value and with the old one
	EffectRestore    Effect = "restore"    // bring the old value back (hard cutover that did not take)
	EffectGate       Effect = "gate"       // may the old secret be revoked?
	EffectRevoke     Effect = "revoke"     // revoke the one old id, or watch it lapse; confirm
	EffectNegative   Effect = "negative"   // the old value must be refused
	EffectCleanUp    Effect = "clean-up"   // staging idle; destroy what is no longer needed
	EffectSweep      Effect = "sweep"      // retry a destroy that was refused
	EffectDiscard    Effect = "discard"    // delete an orphan that a person has let go
	EffectRollback   Effect = "rollback"   // publish the old bundle again, over the new one
	EffectReload     Effect = "reload"     // let the next consumer take what was published
	EffectDeliver    Effect = "deliver"    // copy what is published to the client's other destinations
)

// Outcome is what an effect brought. Exactly what Result says may be concluded from it, and no more.
type Outcome struct {
	Result  Result
	Finding Finding
	Failure Failure // of a Result that is not Done

	Look    *Look             // look, prepare
	Fence   int               // create, settle: staging version of our last fence
	FenceAt time.Time         // Vault's time of it
	Base    int               // submit: the consumer version that the person has decided to replace
	Version int               // staging version, or consumer version, that was written or found
	At      time.Time         // Vault's time of that version
	Secret  credential.Secret // create, settle: the new secret
	OldDies time.Time         // create, settle: when the provider drops the previous one
	Orphan  string            // settle, clean-up: the one secret of ours that nobody can know
	Answer  providers.Answer  // verify; prove, restore: of the new value
	Old     providers.Answer  // prove, negative: of the old value
	LastUse time.Time         // gate: of the old secret; zero = the provider does not say
	Random  providers.Answer  // verify: of a random value, where the verifier has not refused one yet
	Clock   time.Time         // an independent clock (Vault's, else the provider's); zero = none
	Cleanup *credential.Cleanup
	Copies  []CopyResult // deliver: one per destination that was tried
}

// Result is the three-valued outcome of an effect.
type Result string

// The results.
const (
	Done    Result = "done"
	NotDone Result = "not-done" // definitely
	Unknown Result = "unknown"
)

// Finding is what an effect found, where Done alone does not say it.
type Finding string

// The findings.
const (
	FoundNothing   Finding = ""
	FoundStaged    Finding = "staged"           // create, settle: the new bundle stands in staging
	FoundReceived  Finding = "received"         // create: a reply that could not be read stands in staging
	FoundNotDone   Finding = "not-done"         // settle: nothing was created; the next attempt is fenced
	FoundOrphan    Finding = "orphan"           // settle: created, and its value is lost; it can be deleted
	FoundMany      Finding = "many"             // settle: more than one secret could be ours
	FoundLost      Finding = "lost"             // settle: created, and its value is lost; verify, promote: staging has lost it
	FoundElsewhere Finding = "elsewhere"        // someone else changed the secret
	FoundForeign   Finding = "foreign"          // someone else wrote in Vault
	FoundEarlier   Finding = "earlier"          // create: an attempt that has ended stands in staging again; the next one is written over it
	FoundPending   Finding = "pending"          // create: the chosen value may be set; send the same again
	FoundMissing   Finding = "missing"          // the provider does not know the client
	FoundGone      Finding = "gone"             // gate: the old one is past its expiry
	FoundFinished  Finding = "finished"         // this rotation has been finished already: the state is an old copy
	FoundOther     Finding = "other"            // a later rotation has been made: the state is an old copy
	FoundTurned    Finding = "turned"           // this rotation has gone back to its old secret: the state is an old copy
	FoundWaiting   Finding = "waiting"          // revoke: the provider's own timer still runs
	FoundNotShown  Finding = "not-shown"        // shown: neither accepted nor shown
	FoundPublished Finding = "published"        // compensate: Vault hands out the secret that was to be deleted
	FoundLast      Finding = "last"             // compensate: the secret that was to be deleted is the only one that is listed, or the provider's current one
	FoundRefused   Finding = "refused"          // promote: no longer accepted
	FoundNoValue   Finding = "no-value"         // negative: the old value is no longer in Vault
	FoundSame      Finding = "same"             // promote: the version from before holds the very value that is published
	FoundKept      Finding = "kept"             // create, promote: the provider has kept the old secret; rotad's keys may be new
	FoundNoProof   Finding = "cannot-be-proved" // verify: this kind has no way to ask
	FoundRejected  Finding = "rejected"         // create: the chosen value itself was refused
)

// Failure is why something was not done, for the record and for people.
type Failure struct {
	Class providers.Class
	Text  string
	After time.Duration // wait at least this long
}

// Look is what was seen of a client: no values.
type Look struct {
	Found    bool      // the provider knows the client
	At       time.Time // on the wall clock, when the provider was asked; zero = not noted
	Snapshot providers.Snapshot
	Hinted   []string // ids whose hint fits Vault's value

	Version  int       // consumer version; 0 = never written
	Written  time.Time // Vault's time of that version
	HasValue bool      // it holds the mapped secret
	Same     bool      // its mapped fields equal those of the recorded version
	Compared bool      // Same means something

	Staging credential.Entry // without values

	Answer   providers.Answer // of Vault's value; Unknown if it was not asked
	NoProof  bool             // this kind has no way to ask
	Random   providers.Answer // of a random value
	ReadBack ReadBack
	Failure  Failure // why Answer is unknown
}

// ReadBack compares the value that the provider shows with Vault's.
type ReadBack string

// The results of a comparison.
const (
	ReadNot   ReadBack = "" // not readable, or nothing to compare
	ReadEqual ReadBack = "equal"
	ReadOther ReadBack = "other"
)
