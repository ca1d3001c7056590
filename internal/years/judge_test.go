package years_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/rotation"
)

// judge sees everything that a fleet does and asks whether it may. What it knows of a client stands in that client's
// dossier, under the lock of the account.
type judge struct {
	clocks *clocks
	vault  *kv
	fleet  *fleet
	counts counts
	lags   lags

	mu     sync.Mutex
	broken []string
	said   map[string]bool
	story  string // of the first client that broke a rule
}

// counts is what has happened.
type counts struct {
	looks, effects, commits, notices, mails, rotations, revokes, overrides, holds, turns, jumps, boots, astray atomic.Int64
}

// dossier is what the judge knows of a client.
type dossier struct {
	member
	rec       credential.Record
	audit     []credential.Audit
	notices   []credential.Notice
	before    credential.Record // as it was right before the intent of the rotation under way
	published map[string]int    // by rotation
	revoked   map[string]int    // by rotation
	told      map[string]string // what has been told about the current secret, with the key of the notice
	promoted  time.Time         // the true time of the last promote
	overlaps  time.Time         // the true time from which its overlap counts
	ahead     bool              // that promote was dated by a clock that was ahead
	approved  time.Time         // on the wall clock
	helped    time.Time         // when a person last did something about a hold
	last      time.Time         // of the last commit
	commits   int               // at that moment
	astray    int               // rotations begun while the wall clock was wrong, by the present jump
}

const enough = 20 // broken rules that are reported of one fleet

func (j *judge) violate(a *account, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if j.said == nil {
		j.said = map[string]bool{}
	}
	if len(j.broken) < enough && !j.said[a.id+text] {
		if len(j.broken) == 0 {
			j.story = story(a)
		}
		j.said[a.id+text] = true
		j.broken = append(j.broken, fmt.Sprintf("%s (wall %s) %s %s: %s", j.clocks.truth().Format(time.DateTime),
			j.clocks.wall().Format(time.DateTime), a.id, a.caps.Mode, text))
	}
}

// view is what can be seen of a client now; the account is locked.
func (j *judge) view(a *account) oracle.View {
	now, saw := j.clocks.truth(), j.vault.see(a.file.Client)
	v := oracle.View{
		Client: a.id, At: now, Record: a.file.rec, Audit: a.file.audit, Notices: a.file.notices, Accepts: a.accepts,
		Hands: saw.hands, HandsAt: saw.at, HandsBy: saw.by, Staged: saw.staged, StageID: saw.stageID,
		Version: func(n int) string { return j.vault.value(a.file.Client, n) },
	}
	for _, s := range a.secrets {
		s.once = s.once || s.value == saw.hands
		v.Secrets = append(v.Secrets, oracle.Secret{ID: s.ID, Label: s.Label, Value: s.value, Maker: s.maker, Live: s.live(now), Once: s.once})
	}
	return v
}

// act judges a mutation right before it takes effect; the account is locked.
func (j *judge) act(a *account, act oracle.Act) {
	for _, b := range oracle.Before(j.view(a), act) {
		j.violate(a, "before %s: %s", act.Kind, b)
	}
}

// actOn is act for a client by its id.
func (j *judge) actOn(client string, act oracle.Act) {
	a := j.fleet.accounts[client]
	a.mu.Lock()
	defer a.mu.Unlock()
	j.act(a, act)
}

// moment asks what must be true at every moment; the account is locked.
func (j *judge) moment(a *account) {
	for _, b := range oracle.Moment(j.view(a)) {
		j.violate(a, "%s", b)
	}
}

// Committed takes a commit in.
func (j *judge) Committed(change credential.Change) {
	j.counts.commits.Add(1)
	a := j.fleet.accounts[change.Record.Client.ID]
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.file.rec
	j.spins(a)
	a.file.rec = change.Record
	a.file.audit = append(a.file.audit, change.Audit...)
	for _, n := range change.Notices {
		j.notice(a, n)
	}
	for _, entry := range change.Audit {
		j.event(a, was, entry)
	}
	if len(change.Audit) > 0 || change.Record.Rotation != nil {
		j.moment(a)
	}
	if len(change.Notices) > 0 {
		j.fleet.wakeNotices()
	}
}

// spin is how many commits one client may have at one moment: a rotation has about thirty.
const spin = 100

// spins looks for a record that falls due again and again without anything being done.
func (j *judge) spins(a *account) {
	if now := j.clocks.truth(); !now.Equal(a.file.last) {
		a.file.last, a.file.commits = now, 0
	}
	if a.file.commits++; a.file.commits == spin {
		j.violate(a, "committed %d times at one moment, due for %s in phase %s", spin, a.file.rec.DueFor, a.file.rec.Phase())
		j.fleet.giveUp() // such a loop never lets the time go on
	}
}

// Effect counts.
func (j *judge) Effect(_ credential.Record, e rotation.Effect, _ rotation.Outcome, _ time.Duration) {
	j.counts.effects.Add(1)
	if e == rotation.EffectLook {
		j.counts.looks.Add(1)
	}
}

// Turned counts the turns of the loop.
func (j *judge) Turned() { j.counts.turns.Add(1) }

// Late takes in how long after its due time a record was claimed. What was due while the clock was another, or no daemon
// ran, could not be claimed before; and workers that wait for a server that is away take nothing else.
func (j *judge) Late(provider string, lag time.Duration) {
	now := j.clocks.truth()
	lag = min(lag, now.Sub(j.fleet.changed()))
	s := span{now.Add(-lag), now}
	away := j.vault.away.within(s, settle) + j.fleet.tenants[provider].away.within(s, settle)
	j.lags.claim.see(max(0, lag-away), provider)
}

// event judges one entry of the audit.
func (j *judge) event(a *account, was credential.Record, entry credential.Audit) {
	switch entry.Event {
	case credential.EventIntent:
		a.file.before = was
		j.counts.rotations.Add(1)
		j.intent(a, was)
	case credential.EventPromoted:
		j.published(a, entry)
	case credential.EventSettled:
		j.settled(a, was)
	case credential.EventRevoking:
		j.revoking(a, entry)
	case credential.EventRevoked:
		j.counts.revokes.Add(1)
		if a.file.revoked[entry.Rotation]++; a.file.revoked[entry.Rotation] > 1 {
			j.violate(a, "rotation %s revoked %d times", entry.Rotation, a.file.revoked[entry.Rotation])
		}
	case credential.EventHeld:
		j.counts.holds.Add(1)
	default:
	}
}

// published: a rotation is published once, and takes no longer than it may.
func (j *judge) published(a *account, entry credential.Audit) {
	r := a.file.rec.Rotation
	if a.file.published[entry.Rotation]++; a.file.published[entry.Rotation] > 1 {
		j.violate(a, "rotation %s was published %d times", entry.Rotation, a.file.published[entry.Rotation])
	}
	a.file.promoted = j.clocks.truth()
	a.file.overlaps, a.file.ahead = a.file.promoted, j.clocks.skew.Load() > 0
	a.file.told = map[string]string{}
	if r != nil {
		j.lateRotation(a, r)
	}
}

// notice judges one thing to tell: about one secret nothing is told twice under two keys.
func (j *judge) notice(a *account, n credential.Notice) {
	j.counts.notices.Add(1)
	a.file.notices = append(a.file.notices, n)
	switch n.Kind {
	case credential.NoticeWarning, credential.NoticeFinal, credential.NoticeExpired, credential.NoticeAnnounce, credential.NoticeApprove:
	default:
		return
	}
	what := string(n.Kind) + " " + n.Milestone
	if key, ok := a.file.told[what]; ok && key != n.Key {
		j.violate(a, "%s was told twice about one secret: %s and %s", what, key, n.Key)
	}
	a.file.told[what] = n.Key
}

// story is what happened last to a client.
func story(a *account) string {
	var b strings.Builder
	for _, e := range a.file.audit[max(0, len(a.file.audit)-40):] {
		fmt.Fprintf(&b, "  %s %s %s %s %s %s\n", e.At.Format(time.DateTime), e.Event, e.Phase, e.Secret, e.Actor, e.Detail)
	}
	fmt.Fprintf(&b, "  record: due %s for %s, sight %s, current %+v, hold %+v, backoff %+v\n", a.file.rec.Due, a.file.rec.DueFor,
		a.file.rec.Sight, a.file.rec.Current, a.file.rec.Hold, a.file.rec.Backoff)
	for _, s := range a.secrets {
		fmt.Fprintf(&b, "  at the provider: %s by %s, expires %s, dies %s\n", s.ID, s.maker, s.Expires, s.dies)
	}
	return b.String()
}
