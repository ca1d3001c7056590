package rotation

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
	"github.com/rotad/rotad/providers"
)

// settle finds out what became of a create whose outcome is unknown. Until it has, nothing new is created.
func (r *run) settle(ctx context.Context) Outcome {
	entry, err := r.Vault.Staging(ctx, r.key())
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	switch {
	case r.ours(entry) && entry.Phase == credential.StagingIdle:
		return Outcome{Result: Done, Finding: FoundFinished}
	case !r.ours(entry) && !r.ofTheLast(entry) && (entry.Version >= r.rot.Fence || !r.nobodys(entry)):
		return foreign("the staging entry is at version %d, by rotation %q", entry.Version, entry.Rotation)
	case !r.ours(entry), entry.Attempt < r.rot.Attempt: // older than this attempt: a backup was restored, or it began on a stale read
		entry = credential.Entry{Version: entry.Version, Staging: credential.Staging{FencedAt: r.rot.FenceAt}}
	case entry.Phase == credential.StagingStaged:
		return r.landed(entry)
	case entry.Phase == credential.StagingReceived:
		if o, ok := r.decodeAgain(ctx, entry); ok {
			return o
		}
	}
	return r.settleBy(ctx, entry)
}

// landed is a create whose secret stands in staging.
func (r *run) landed(entry credential.Entry) Outcome {
	if r.turned(entry) {
		return Outcome{Result: Done, Finding: FoundTurned}
	}
	return Outcome{Result: Done, Finding: FoundStaged, Version: entry.Version, At: entry.Created, Secret: entry.New, FenceAt: entry.FencedAt}
}

// ofTheLast says whether an entry is what the rotation before this one has closed with.
func (r *run) ofTheLast(entry credential.Entry) bool {
	return entry.Phase == credential.StagingIdle && entry.Rotation == r.rec.Last.Rotation && r.nobodys(entry)
}

// settleBy asks in the way that the provider has.
func (r *run) settleBy(ctx context.Context, entry credential.Entry) Outcome {
	switch c := r.rot.Caps; {
	case readsBack(c):
		return r.settleByValue(ctx, entry)
	case c.Mode.Beside(), c.Mode.Chosen() && c.Labels:
		return r.settleByList(ctx, entry)
	case c.Mode == credential.ModeHardCutover:
		return r.settleByAsking(ctx, entry)
	}
	return r.settleByStart(ctx, entry)
}

// decodeAgain reads a kept reply once more: the field paths may have been corrected since.
func (r *run) decodeAgain(ctx context.Context, entry credential.Entry) (Outcome, bool) {
	decoder, ok := providers.AsDecoder(r.provider)
	if !ok || entry.Raw.Empty() {
		return Outcome{}, false
	}
	issued, err := decoder.Decode(r.target(), entry.Raw)
	if err != nil {
		return Outcome{}, false
	}
	r.rot.FenceAt = entry.FencedAt
	return r.stage(ctx, entry.Version, issued), true
}

// nextFence writes the next attempt's intent over exactly our last version. Vault's answer is the decision: accepted
// means that no staged entry of the old attempt stands there, and that none can land any more.
func (r *run) nextFence(ctx context.Context, entry credential.Entry) (version int, o Outcome, ok bool) {
	if entry.Attempt == r.rot.Attempt+1 {
		return entry.Version, Outcome{}, true
	}
	s := r.entry(credential.StagingIntent)
	s.Attempt, s.FencedAt, s.Earlier = r.rot.Attempt+1, r.Now().UTC().Truncate(time.Microsecond), r.rot.FenceAt
	if r.fencesThis(entry) {
		s.Earlier = fencedAt(entry) // another process may have fenced this attempt anew since the record knows of it
	}
	failpoint.Hit("next-fence", "before", r.rec.Client.ID)
	version, _, err := r.Vault.Stage(ctx, r.key(), entry.Version, s)
	failpoint.Hit("next-fence", "after", r.rec.Client.ID)
	if err == nil {
		return version, Outcome{}, true
	}
	if errors.Is(err, credential.ErrCAS) {
		return 0, Outcome{Result: Unknown}, false
	}
	return 0, Outcome{Result: NotDone, Failure: failure(err)}, false
}

// settleByList: secrets live side by side. Our label, or else a new id that started in the time of our request, is an orphan: its value
// never reached Vault and never will, so nobody can depend on it.
func (r *run) settleByList(ctx context.Context, entry credential.Entry) Outcome {
	version, o, ok := r.nextFence(ctx, entry)
	if !ok {
		return o
	}
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	orphans := r.orphans(snap, entry)
	switch len(orphans) {
	case 0:
		return Outcome{Result: Done, Finding: FoundNotDone, Fence: version}
	case 1:
		return Outcome{Result: Done, Finding: FoundOrphan, Orphan: orphans[0], Fence: version}
	}
	return Outcome{Result: Done, Finding: FoundMany, Orphan: strings.Join(orphans, ", "), Fence: version}
}

// orphans returns the ids that only our unknown create can have made, or one before it that landed late.
func (r *run) orphans(snap providers.Snapshot, entry credential.Entry) []string {
	var found []string
	for _, secret := range snap.Secrets {
		switch {
		case secret.ID == "" || secret.ID == r.rot.Old.ID || r.before(secret.ID):
		case r.rot.Caps.Labels && strings.HasPrefix(secret.Label, labelOf(&r.rot)):
			found = append(found, secret.ID)
		case !r.rot.Caps.Labels && r.inLanding(secret.Start, entry):
			found = append(found, secret.ID)
		}
	}
	return found
}

func (r *run) before(id string) bool {
	for _, secret := range r.rot.Before {
		if secret.ID == id {
			return true
		}
	}
	return false
}

// inLanding says whether a secret started in the time in which our create can have landed. A start that the provider
// does not tell proves nothing against it.
func (r *run) inLanding(start time.Time, entry credential.Entry) bool {
	if start.IsZero() {
		return true
	}
	for _, fenced := range r.fences(entry) {
		from, to := fenced.Add(-ClockSkew), fenced.Add(FenceLife+r.env.Timing.Deadline+ClockSkew)
		if !start.Before(from) && !start.After(to) {
			return true
		}
	}
	return false
}

// fences returns the moments from which our create may have been sent. The record may know no more than when the attempt
// began; what stands in staging tells the fence by two clocks, of which Vault's is that of a person who has brought it back.
func (r *run) fences(entry credential.Entry) []time.Time {
	var list []time.Time
	if !r.rot.FenceAt.IsZero() {
		list = append(list, r.rot.FenceAt)
	}
	switch {
	case r.fencesThis(entry), len(list) == 0:
		list = append(list, fencedAt(entry), entry.FencedAt)
	case r.ours(entry) && !entry.Earlier.IsZero():
		list = append(list, entry.Earlier)
	}
	return list
}

// fencesThis says whether an entry is a fence under which this attempt can have created.
func (r *run) fencesThis(entry credential.Entry) bool {
	return r.ours(entry) && entry.Phase == credential.StagingIntent && entry.Attempt == r.rot.Attempt && entry.Earlier.IsZero()
}

// settleByValue: the provider shows the current value. Another one than Vault's is the one that our create made, if it
// started in our time; the same one means "not done" only once our request can no longer land.
func (r *run) settleByValue(ctx context.Context, entry credential.Entry) Outcome {
	recoverer, ok := providers.AsRecoverer(r.provider)
	if !ok {
		return r.settleByStart(ctx, entry)
	}
	issued, err := recoverer.Recover(ctx, r.target())
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	consumer, err := r.Vault.Consumer(ctx, r.client().Vault, r.rot.OldVersion)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	switch {
	case !r.differs(issued, consumer):
		return r.notDoneIfQuiet(ctx, entry)
	case r.rot.Cutover || (!issued.Secret.Start.IsZero() && r.inLanding(issued.Secret.Start, entry)):
		r.rot.FenceAt = entry.FencedAt
		return r.stage(ctx, entry.Version, issued)
	}
	return Outcome{Result: Done, Finding: FoundElsewhere, OldDies: issued.OldDies}
}

// differs says whether the provider's value is another one than before our create: Vault's, or, for a first secret,
// the one that started before it.
func (r *run) differs(issued providers.Issued, consumer credential.Consumer) bool {
	if r.rot.OldVersion != 0 && hasValue(consumer) {
		return !issued.Bundle.Secret().Equal(consumer.Bundle.Secret())
	}
	for _, secret := range r.rot.Before {
		if secret.Same(issued.Secret) {
			return false
		}
	}
	return true
}

// notDoneIfQuiet concludes "not done" once our request can no longer land, and not before.
func (r *run) notDoneIfQuiet(ctx context.Context, entry credential.Entry) Outcome {
	if r.stillLanding() {
		return Outcome{Result: Unknown}
	}
	version, o, ok := r.nextFence(ctx, entry)
	if !ok {
		return o
	}
	return Outcome{Result: Done, Finding: FoundNotDone, Fence: version}
}

func (r *run) stillLanding() bool { return r.env.quiet(r.rot.Unsettled) > 0 }

// settleByStart: only the start of the current secret can be read, or nothing at all. Unchanged means "not done";
// changed means that the value is lost.
func (r *run) settleByStart(ctx context.Context, entry credential.Entry) Outcome {
	if r.stillLanding() {
		return Outcome{Result: Unknown}
	}
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	if r.unchanged(snap) {
		return r.notDoneIfQuiet(ctx, entry)
	}
	finding := FoundLost
	if entry.Phase == credential.StagingReceived {
		finding = FoundReceived
	}
	return Outcome{Result: Done, Finding: finding, OldDies: previousDies(snap), Fence: entry.Version, Clock: r.clock(ctx, snap)}
}

// unchanged says whether the provider proves that the current secret is still the one from before.
func (r *run) unchanged(snap providers.Snapshot) bool {
	if !r.rot.Caps.StartReadable {
		return false
	}
	current, ok := snap.Current()
	if !ok {
		return len(r.rot.Before) == 0
	}
	for _, secret := range r.rot.Before {
		if secret.Slot != providers.SlotPrevious && secret.Same(current) {
			return true
		}
	}
	return false
}

// settleByAsking: a cutover whose value cannot be read. Vault's value still accepted means "not done", when nothing can
// land any more and caches have expired; refused means that it was done, and is lost.
func (r *run) settleByAsking(ctx context.Context, entry credential.Entry) Outcome {
	if r.stillLanding() {
		return Outcome{Result: Unknown}
	}
	consumer, err := r.Vault.Consumer(ctx, r.client().Vault, r.rot.OldVersion)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	answer, _, f := r.ask(ctx, consumer.Bundle)
	if answer == providers.Unknown {
		return Outcome{Result: NotDone, Failure: f}
	}
	version, o, ok := r.nextFence(ctx, entry)
	if !ok {
		return o
	}
	if answer == providers.Accepted {
		return Outcome{Result: Done, Finding: FoundNotDone, Fence: version}
	}
	return Outcome{Result: Done, Finding: FoundLost, Fence: version}
}

// compensate deletes the one orphan by its explicit id, and confirms it. It refuses an id that consumers may use.
func (r *run) compensate(ctx context.Context) Outcome {
	id := r.rot.Orphan
	if id == "" || id == r.rot.Old.ID || id == r.rec.Current.ID {
		return Outcome{Result: NotDone, Failure: Failure{Class: providers.ClassRejected, Text: "refusing to delete a secret that is in use: " + id}}
	}
	if o, ok := r.notPublished(ctx, id); !ok {
		return o
	}
	if o, ok := r.mayGo(ctx, id); !ok {
		return o
	}
	if f, ok := r.deleteByID(ctx, id); !ok {
		return f
	}
	return Outcome{Result: Done}
}

// notPublished: what Vault hands out is not the staged bundle of the secret that is to be deleted.
func (r *run) notPublished(ctx context.Context, id string) (Outcome, bool) {
	entry, err := r.Vault.Staging(ctx, r.key())
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}, false
	}
	staged := r.ours(entry) && entry.New.ID == id && entry.Phase == credential.StagingStaged
	if !staged && !r.rot.Publishing {
		return Outcome{}, true
	}
	now, err := r.Vault.Consumer(ctx, r.client().Vault, 0)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}, false
	}
	if staged {
		return Outcome{Result: Done, Finding: FoundPublished, Version: now.Version, At: now.Created}, !holds(now, entry.Bundle)
	}
	// its value is gone, and a promote may have landed: only what stood there before is surely another one
	before, err := r.mayReplace(ctx, now)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}, false
	}
	return Outcome{Result: Done, Finding: FoundMany, Orphan: id}, before || now.Version <= r.consumerBase()
}

// mayGo: a secret that is the only one the provider still lists is not deleted, whoever asked for it: others have
// taken away what consumers had, and with this one the last way to log in would go. A first secret has none beside it.
// And none is deleted that another has to take the place of first (mode staged).
func (r *run) mayGo(ctx context.Context, id string) (Outcome, bool) {
	if r.rot.OldVersion == 0 {
		return Outcome{}, true
	}
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return failed(err), false
	}
	now := r.surely(snap.Time)
	found, listed := snap.Find(id)
	gone := !listed || found.Gone(now, ExpirySkew)
	current := r.rot.Caps.Mode == credential.ModeStaged && found.Slot == providers.SlotCurrent
	text := "secret " + id + ", which was to be deleted, is "
	switch {
	case gone && current:
		return Outcome{Result: Done}, false // it lets nobody in, and the provider would refuse to delete what it calls current
	case gone:
		return Outcome{}, true
	case r.onlyOne(snap, now):
		text += "the only one that the provider lists: it stays until there is another"
	case current:
		text += "what the provider calls the current one: it stays until another has taken its place"
	default:
		return Outcome{}, true
	}
	return Outcome{Result: NotDone, Finding: FoundLast, Failure: Failure{Class: providers.ClassConflict, Text: text}}, false
}

// deleteByID deletes one secret by its explicit id and confirms by listing.
func (r *run) deleteByID(ctx context.Context, id string) (Outcome, bool) {
	revoker, ok := providers.AsRevoker(r.provider)
	if !ok {
		return Outcome{Result: NotDone, Failure: Failure{Class: providers.ClassUnsupported, Text: "this provider cannot delete a secret"}}, false
	}
	failpoint.Hit("delete", "before", r.rec.Client.ID)
	err := revoker.Revoke(ctx, r.target(), id)
	unknown := providers.ClassOf(err) == providers.ClassNotFound
	if err != nil && !unknown {
		return failed(err), false
	}
	failpoint.Hit("delete", "after", r.rec.Client.ID)
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return failed(err), false
	}
	if unknown && id != r.rot.Old.ID && r.env.quiet(since(&r.rot)) > 0 {
		return Outcome{Result: Unknown, Failure: Failure{Class: providers.ClassBusy, Text: "the provider may not know the new secret everywhere yet"}}, false
	}
	if secret, listed := snap.Find(id); listed && !secret.Gone(r.env.Now, ExpirySkew) {
		return Outcome{Result: Unknown, Failure: Failure{Class: providers.ClassBusy, Text: "the deleted secret is still listed"}}, false
	}
	return Outcome{}, true
}
