package config

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// policies decodes all policies. One named "default" exists always.
func (l *loader) policies(s scope) {
	l.config.Policies = map[string]credential.Policy{DefaultPolicy: BuiltinPolicy()}
	l.named(s, func(name string, at scope) {
		var settings policySettings
		l.decoder.structs(at, reflectElem(&settings))
		policy := settings.policy(name)
		checkPolicy(at, &policy)
		l.config.Policies[name] = policy
	})
}

// checkPolicy finds relations that cannot work (errors) and those that surprise (warnings). A short duration alone is
// never an error.
func checkPolicy(s scope, p *credential.Policy) {
	if p.Lifetime > 0 && p.RotateBefore >= p.Lifetime {
		s.child("rotate_before").report(fmt.Sprintf("is not less than lifetime (%s)", credential.FormatDuration(p.Lifetime)),
			"every new secret would be due at once")
	}
	if p.Lifetime > 0 && p.Overlap >= p.Lifetime {
		s.child("overlap").report(fmt.Sprintf("is not less than lifetime (%s)", credential.FormatDuration(p.Lifetime)),
			"a new secret must outlive the overlap")
	}
	if p.OverlapMin > p.Overlap {
		s.child("overlap_min").report(fmt.Sprintf("is more than overlap (%s)", credential.FormatDuration(p.Overlap)),
			"no rotation could begin")
	}
	if p.MaxAttempts < 0 {
		s.child("max_attempts").report("is negative", "")
	}
	checkUse(s, p)
	checkWarnings(s.child("warn"), p)
	checkWindow(s, p)
	warnShort(s, p)
}

// checkUse looks at how long an old secret may outlive its overlap.
func checkUse(s scope, p *credential.Policy) {
	waits := p.OverlapEnds != credential.EndsByTime
	switch longest := p.LongestOverlap(); {
	case !waits && (p.OverlapMax != 0 || p.AtMax == credential.AtMaxRevoke):
		s.child("overlap_max").warn("says nothing while overlap_ends is time", "write overlap_ends: moved, or unused")
	case p.OverlapMax != 0 && longest < p.Overlap:
		s.child("overlap_max").report(fmt.Sprintf("is less than overlap (%s)", credential.FormatDuration(p.Overlap)), "the overlap could never end")
	case waits && p.Lifetime > 0:
		checkLongest(s.child("overlap_max"), p, longest)
	}
	if p.Quiet <= 0 && p.OverlapEnds == credential.EndsUnused {
		s.child("quiet").report("must be more than 0", "it says for how long nobody has used the old secret")
	}
}

// checkLongest compares the longest overlap with the life of a secret.
func checkLongest(s scope, p *credential.Policy, longest time.Duration) {
	text := credential.FormatDuration(longest)
	switch {
	case longest >= p.Lifetime:
		s.report(fmt.Sprintf("the longest overlap (%s) is not less than lifetime (%s)", text, credential.FormatDuration(p.Lifetime)), "a new secret must outlive the overlap")
	case longest > p.Lifetime-p.RotateBefore:
		s.warn(fmt.Sprintf("the longest overlap (%s) may last beyond the moment at which the next rotation is due", text), "no rotation begins while an old secret is there")
	}
}

func checkWarnings(s scope, p *credential.Policy) {
	at := s.child("at")
	seen := map[time.Duration]bool{}
	for i, w := range p.Warn {
		entry := at.index(i)
		switch {
		case w.Before <= 0 && at.written():
			entry.report("a warning must come before the expiry", "write more than 0")
		case seen[w.Before]:
			entry.warn("is there twice", "delete one of them")
		case w.Every >= w.Before && w.Every > 0:
			entry.child("every").warn("is not less than before", "the warning comes once")
		case at.written() && p.Lifetime > 0 && w.Before >= p.Lifetime:
			entry.warn("comes before a secret of the policy's lifetime exists", "the warning is due at once")
		}
		seen[w.Before] = true
	}
}

// checkWindow also keeps the rule that a rotation must find a window in time.
func checkWindow(s scope, p *credential.Policy) {
	at, spec := s.child("window"), p.Window
	var gap time.Duration
	switch {
	case spec.IsZero() && isNull(at.node):
	case spec.Cron == "":
		at.child("cron").report("is required", "it says when the window opens")
		return
	case spec.Duration <= 0:
		at.child("duration").report("is required", "it says how long the window stays open")
		return
	default:
		zone, err := loadZone(spec.Timezone)
		if err != nil {
			return
		}
		openings, err := parseCron(spec.Cron, zone)
		if err != nil {
			at.child("cron").report(err.Error(), "write five fields: minute hour day month weekday")
			return
		}
		gap = window{openings, spec.Duration}.longestGap()
	}
	const day = 24 * time.Hour
	if needed := gap + p.Overlap + day; !p.OnlyWatches() && p.RotateBefore < needed {
		s.child("rotate_before").warn(fmt.Sprintf("%s is less than the longest time without a window, overlap and a day (%s)",
			credential.FormatDuration(p.RotateBefore), credential.FormatDuration(needed)),
			"the old secret may expire before the overlap ends")
	}
}

// short is below what people can react to; it suits tests and demonstrations.
const short = 10 * time.Minute

func warnShort(s scope, p *credential.Policy) {
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"lifetime", p.Lifetime}, {"overlap", p.Overlap}} {
		if d.value > 0 && d.value < short {
			s.child(d.key).warn(credential.FormatDuration(d.value)+" is very short", "it is kept to all the same")
		}
	}
	if p.Overlap == 0 {
		s.child("overlap").warn("there is no overlap", "the old secret is revoked as soon as the new one is published")
	}
}
