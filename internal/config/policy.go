package config

import (
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/credential"
)

// policySettings is a policy as it is written.
type policySettings struct {
	// Start is how a rotation begins: auto (when it is due and the window is open), approve (when a person has
	// approved it as well), or observe (never: metrics and mails only).
	Start string `yaml:"start" default:"auto" enum:"auto,approve,observe"`
	// Lifetime of a secret where the provider reports no expiry, or lets us choose it; 0 = none.
	Lifetime time.Duration `yaml:"lifetime" default:"90d"`
	// RotateBefore is how long before the expiry the rotation is due.
	RotateBefore time.Duration `yaml:"rotate_before" default:"14d"`
	// Overlap is how long the old and the new secret are both valid.
	Overlap time.Duration `yaml:"overlap" default:"72h"`
	// OverlapMin is the shortest overlap that is accepted where the provider grants less than overlap; not written =
	// overlap.
	OverlapMin *time.Duration `yaml:"overlap_min"`
	// Announce is how long before a planned rotation the owner is told of it; 0 = not at all.
	Announce time.Duration `yaml:"announce" default:"7d"`
	// Warn says when people are warned of an expiry.
	Warn warnSettings `yaml:"warn"`
	// Window restricts when a rotation may begin and when an old secret may be revoked; not written = always.
	Window windowSettings `yaml:"window"`
	// OverlapEnds says what must be true before an old secret is revoked, besides that its overlap is over: time (nothing),
	// moved (every consumer of the client has said that it runs on the new one), or unused (nobody has used the old one for
	// quiet, as far as the provider and the consumers say).
	OverlapEnds string `yaml:"overlap_ends" default:"time" enum:"time,moved,unused"`
	// Quiet is how long nobody may have used the old secret where overlap_ends is unused.
	Quiet time.Duration `yaml:"quiet" default:"24h"`
	// OverlapMax is the longest overlap where the old secret stays in use; 0 = four times overlap.
	OverlapMax time.Duration `yaml:"overlap_max" default:"0s"`
	// AtOverlapMax is what happens then: hold (a person is called, and the old secret stays), or revoke (it goes, after a
	// last warning).
	AtOverlapMax string `yaml:"at_overlap_max" default:"hold" enum:"hold,revoke"`
	// Drift says what becomes of another secret that somebody makes at the provider by hand, or of an expiry that somebody changes:
	// note (it is written into the history), or hold (that as well, and a person is called). It is never undone.
	Drift string `yaml:"drift" default:"note" enum:"note,hold"`
	// DeleteEarly deletes an old secret that the provider would let lapse by itself when the overlap ends, where it can be deleted.
	DeleteEarly bool `yaml:"delete_early" default:"false"`
	// MaxAttempts is the number of failures in one phase before a person is called; 0 = 8.
	MaxAttempts int `yaml:"max_attempts" default:"8"`
}

// warnSettings are the warnings of a policy.
type warnSettings struct {
	// At lists the milestones, as times before the expiry: "30d" once, {before: 7d, every: 1d} again and again.
	// Not written = [30d, {before: 7d, every: 1d}].
	At *[]milestone `yaml:"at"`
	// When is for which clients: unless-automatic (not for a healthy automatic rotation, which announces itself), or
	// always.
	When string `yaml:"when" default:"unless-automatic" enum:"unless-automatic,always"`
}

// windowSettings is a recurring span of time.
type windowSettings struct {
	// Cron is when the window opens: five fields, in the window's zone.
	Cron string `yaml:"cron"`
	// Duration is how long it stays open.
	Duration time.Duration `yaml:"duration"`
	// Timezone of the cron fields: an IANA name; not written = UTC.
	Timezone string `yaml:"timezone" format:"zone"`
}

// milestone is one entry of warn.at: a duration, or before and every.
type milestone struct {
	// Before is how long before the expiry the first warning comes.
	Before time.Duration `yaml:"before" required:"true"`
	// Every is how often it is repeated until the expiry; 0 = not at all.
	Every time.Duration `yaml:"every" default:"0s"`
}

// milestoneFields is milestone without its method, so that a mapping is decoded by the tags.
type milestoneFields milestone

func (m *milestone) decode(d *decoder, s scope) {
	fields := (*milestoneFields)(m)
	if s.node.Kind == yaml.ScalarNode {
		d.scalar(s, reflectElem(&fields.Before), field{})
		return
	}
	d.structs(s, reflectElem(fields))
}

// builtinWarnings are the warnings of a policy that lists none.
func builtinWarnings() []credential.Warning {
	const day = 24 * time.Hour
	return []credential.Warning{{Before: 30 * day}, {Before: 7 * day, Every: day}}
}

// BuiltinPolicy is what a policy consists of where nothing is written. Its name is "default".
func BuiltinPolicy() credential.Policy {
	var p policySettings
	d := newDecoder()
	d.structs(scope{sink: newSink()}, reflectElem(&p))
	return p.policy("default")
}

// DefaultPolicy is the name of the policy of clients that name none.
const DefaultPolicy = "default"

// policy converts what is written; overlap_min follows overlap unless it is written, even as 0.
func (p policySettings) policy(name string) credential.Policy {
	warn := builtinWarnings()
	if p.Warn.At != nil {
		warn = make([]credential.Warning, len(*p.Warn.At))
		for i, m := range *p.Warn.At {
			warn[i] = credential.Warning{Before: m.Before, Every: m.Every}
		}
	}
	overlapMin := p.Overlap
	if p.OverlapMin != nil {
		overlapMin = *p.OverlapMin
	}
	return credential.Policy{
		Name: name, Start: credential.Start(p.Start), Lifetime: p.Lifetime, RotateBefore: p.RotateBefore,
		Overlap: p.Overlap, OverlapMin: overlapMin, Announce: p.Announce, Warn: warn,
		WarnWhen:    credential.WarnWhen(p.Warn.When),
		Window:      credential.WindowSpec{Cron: p.Window.Cron, Duration: p.Window.Duration, Timezone: p.Window.Timezone},
		DeleteEarly: p.DeleteEarly, Drift: credential.OnDrift(p.Drift), MaxAttempts: p.MaxAttempts,
		OverlapEnds: credential.OverlapEnds(p.OverlapEnds), Quiet: p.Quiet, OverlapMax: p.OverlapMax, AtMax: credential.AtMax(p.AtOverlapMax),
	}
}
