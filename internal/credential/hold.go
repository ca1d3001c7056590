package credential

import (
	"slices"
	"time"
)

// HoldCode names why a client waits for a person. The codes are a contract: docs/reference/holds.md has a row each.
type HoldCode string

// The hold codes.
const (
	HoldCannotVerify     HoldCode = "cannot-verify"
	HoldMismatch         HoldCode = "mismatch"
	HoldWhichSecret      HoldCode = "which-secret"
	HoldSecretLost       HoldCode = "secret-lost"
	HoldChangedElsewhere HoldCode = "changed-elsewhere"
	HoldNotUnderstood    HoldCode = "reply-not-understood"
	HoldNoOverlap        HoldCode = "no-overlap"
	HoldOverlapTooShort  HoldCode = "overlap-too-short"
	HoldCutover          HoldCode = "cutover-not-allowed"
	HoldSlotsFull        HoldCode = "slots-full"
	HoldForeignWrite     HoldCode = "vault-foreign-write"
	HoldClientMissing    HoldCode = "client-missing"
	HoldUnauthorized     HoldCode = "unauthorized"
	HoldAttempts         HoldCode = "attempts-exhausted"
	HoldBothRefused      HoldCode = "both-refused"
	HoldSecretKept       HoldCode = "secret-kept"
	HoldClockSuspect     HoldCode = "clock-suspect"
	HoldByPerson         HoldCode = "by-person"
	HoldNotDelivered     HoldCode = "not-delivered"
	HoldNotReloaded      HoldCode = "not-reloaded"
	HoldStillUsed        HoldCode = "still-used"
	HoldByHand           HoldCode = "changed-by-hand"
)

// Resolve is a way out of a hold that a person chooses with "rotad resume".
type Resolve string

// The ways out of a hold.
const (
	ResolveNone        Resolve = ""
	ResolveRetry       Resolve = "retry"
	ResolveAdopt       Resolve = "adopt"
	ResolveDiscard     Resolve = "discard"
	ResolveAcceptVault Resolve = "accept-vault"
	ResolveOldRemoved  Resolve = "old-removed"
	ResolveAbort       Resolve = "abort"
	ResolveUndelivered Resolve = "undelivered"
)

// Flag returns the choice as "rotad resume" takes it.
func (r Resolve) Flag() string { return "--" + string(r) }

// Hold is a stop that needs a person.
type Hold struct {
	Code     HoldCode  `json:"code"`
	Since    time.Time `json:"since"`
	Detail   string    `json:"detail,omitempty"`  // one line for people; never a secret
	Deadline time.Time `json:"deadline,omitzero"` // when waiting longer breaks something; zero = none
	Paging   bool      `json:"paging,omitzero"`   // attempts go on; the hold only calls for a person
	Retry    bool      `json:"retry,omitzero"`    // the cause may end by itself: it is looked at again with every look
	By       string    `json:"by,omitempty"`      // by-person: who
}

// HoldRule is one row of the table of holds.
type HoldRule struct {
	Code    HoldCode
	Cause   string    // what it means, for people
	Resolve []Resolve // the choices of "rotad resume" that make sense
	Submit  bool      // "rotad submit" resolves it
	AtEnd   string    // what happens at the deadline
}

// HoldRules is the table of holds, one row per code.
func HoldRules() []HoldRule {
	retryAbort := []Resolve{ResolveRetry, ResolveAbort}
	return []HoldRule{
		{HoldCannotVerify, "The value in Vault was not accepted, or could not be tested, before a rotation; nothing was touched.", []Resolve{ResolveRetry, ResolveAbort}, false, "the current secret expires unrotated"},
		{HoldMismatch, "The provider refuses the value that Vault hands out.", []Resolve{ResolveRetry, ResolveAcceptVault}, true, "the current secret expires unrotated"},
		{HoldWhichSecret, "Several secrets at the provider could be the one that rotad made.", []Resolve{ResolveRetry, ResolveAdopt, ResolveDiscard, ResolveAbort}, false, "the current secret expires unrotated"},
		{HoldSecretLost, "The provider has a new secret whose value was never received.", retryAbort, true, "consumers are cut off when the previous secret expires, unless allow_cutover lets rotad create again"},
		{HoldChangedElsewhere, "Someone else changed the secret at the provider.", []Resolve{ResolveRetry, ResolveAcceptVault, ResolveAbort}, true, "consumers are cut off when the previous secret expires"},
		{HoldNotUnderstood, "The provider's reply to a create could not be read; it is kept in Vault staging.", retryAbort, true, "consumers are cut off when the previous secret expires"},
		{HoldNoOverlap, "Another rotation at the provider still counts down; a second one would cut consumers off.", retryAbort, false, "the current secret expires unrotated"},
		{HoldOverlapTooShort, "The overlap that the provider grants is shorter than overlap_min.", retryAbort, false, "the current secret expires unrotated"},
		{HoldCutover, "Rotating this client kills its old secret at once, and allow_cutover is not set.", retryAbort, false, "the current secret expires unrotated"},
		{HoldSlotsFull, "The provider has no free slot for a second secret.", []Resolve{ResolveRetry, ResolveDiscard, ResolveAbort}, false, "the current secret expires unrotated"},
		{HoldForeignWrite, "Someone else wrote the Vault path of this client.", []Resolve{ResolveRetry, ResolveAcceptVault, ResolveAbort}, false, "the current secret expires unrotated"},
		{HoldClientMissing, "The provider does not know this client: it was deleted there, or its id is mistyped.", []Resolve{ResolveRetry, ResolveAbort}, false, "none"},
		{HoldUnauthorized, "The provider or Vault refuses rotad's own credential.", retryAbort, false, "the current secret expires unrotated"},
		{HoldAttempts, "A step failed too often, or the provider says that it cannot do it.", retryAbort, false, "the current secret expires unrotated"},
		{HoldBothRefused, "The provider refuses the old secret and the new one.", retryAbort, true, "consumers are cut off already"},
		{HoldSecretKept, "The provider was asked for a new secret and kept the old one: nothing was rotated.", retryAbort, true, "the current secret expires unrotated"},
		{HoldClockSuspect, "The clocks disagree, so the end of the overlap cannot be proved.", []Resolve{ResolveRetry}, false, "none: the old secret stays"},
		{HoldNotDelivered, "A destination does not hold the new secret yet, so the old one stays; it is tried again all the time.", []Resolve{ResolveRetry, ResolveUndelivered}, false, "none: the old secret stays, and no further rotation begins"},
		{HoldNotReloaded, "A consumer could not be made to take the new secret, or is not healthy since; the steps after it have not begun, and the old secret stays.", []Resolve{ResolveRetry, ResolveUndelivered}, false, "none: the old secret stays, and no further rotation begins"},
		{HoldStillUsed, "The longest overlap is over and the old secret is still in use, or a consumer has not said that it moved; the old one stays.", []Resolve{ResolveRetry, ResolveUndelivered}, false, "none: the old secret stays, and no further rotation begins"},
		{HoldByHand, "Someone has made another secret at the provider by hand, or changed when the current one ends; drift: hold asks for a person.", []Resolve{ResolveRetry, ResolveAbort}, false, "the current secret expires unrotated"},
		{HoldByPerson, "A person stopped this client.", []Resolve{ResolveRetry, ResolveAbort}, false, "the current secret expires unrotated"},
	}
}

// RuleFor returns the row of a code; ok is false for a code that the table does not have.
func RuleFor(code HoldCode) (rule HoldRule, ok bool) {
	rules := HoldRules()
	i := slices.IndexFunc(rules, func(r HoldRule) bool { return r.Code == code })
	if i < 0 {
		return HoldRule{}, false
	}
	return rules[i], true
}

// Choices returns the choices of "rotad resume" to offer. A client that the provider does not know, and that no rotation is
// under way for, has nothing to give up.
func (r HoldRule) Choices(underWay bool) []Resolve {
	if underWay || !r.Remove() {
		return r.Resolve
	}
	return slices.DeleteFunc(slices.Clone(r.Resolve), func(c Resolve) bool { return c == ResolveAbort })
}

// Remove says whether "rotad remove" is a way out: the client may be one that was registered under a mistyped name.
func (r HoldRule) Remove() bool { return r.Code == HoldClientMissing }

// Allows says whether a choice makes sense for the hold.
func (r HoldRule) Allows(choice Resolve) bool { return slices.Contains(r.Resolve, choice) }
