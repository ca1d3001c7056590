package main

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// monitor asks the oracles about what the daemon sees anyway: no request is made for it. Where it cannot know, it keeps
// silent: it never takes what somebody else did for a defect.
//
//	commit        ──► the record                     ──► Moment: I5, I9, I12
//	before a look ──► the record, what the look saw  ──► Moment: I1, I6
//	an effect     ──► the record that it began with  ──► Before: I2, I8, I18
//	                                                       └──► a line in the log, rotad_invariant_violations_total
type monitor struct {
	now    func() time.Time
	broken func(client string, b oracle.Broken)
}

// asked are the invariants whose counters exist from the start.
func asked() []string { return []string{"I1", "I2", "I5", "I6", "I8", "I9", "I12", "I18"} }

// inVault stands for the value that Vault hands out, which nobody here knows.
const inVault = "what Vault hands out"

// unseen is a view of the record alone: what is not seen holds.
func (m monitor) unseen(rec credential.Record) oracle.View {
	return oracle.View{
		Client: rec.Client.ID, At: m.now(), Record: rec, Racing: true, Rewound: true,
		Accepts: func(string) bool { return true }, Version: func(int) string { return "" },
	}
}

// committed asks about what is durable now.
func (m monitor) committed(change credential.Change) {
	v := m.unseen(change.Record)
	v.Gone = change.Archive
	m.tell(change.Record, oracle.Moment(v))
}

// effect asks about a mutation that was carried out, and about what a look has seen.
func (m monitor) effect(rec credential.Record, e rotation.Effect, o rotation.Outcome) {
	if a, ok := act(rec, e); ok {
		m.tell(rec, oracle.Before(m.unseen(rec), a))
	}
	if o.Look == nil || !o.Look.Found || o.Result != rotation.Done {
		return
	}
	v := m.unseen(rec)
	v.Secrets = listed(o.Look.Snapshot)
	if published(rec, o.Look) {
		v.Hands = inVault
		v.Accepts = func(value string) bool { return value != inVault || o.Look.Answer != providers.Refused }
	}
	m.tell(rec, oracle.Moment(v))
}

func (m monitor) tell(rec credential.Record, broken []oracle.Broken) {
	for _, b := range broken {
		m.broken(rec.Client.ID, b)
	}
}

// act is the mutation that an effect is about, as far as the record names it.
func act(rec credential.Record, e rotation.Effect) (oracle.Act, bool) {
	r := rec.Rotation
	if r == nil {
		r = &credential.Rotation{}
	}
	switch e {
	case rotation.EffectCreate:
		return oracle.Act{Kind: oracle.Create, Label: rotation.Label(r)}, true
	case rotation.EffectPromote:
		return oracle.Act{Kind: oracle.Promote}, true
	case rotation.EffectRevoke:
		return oracle.Act{Kind: oracle.Revoke, ID: r.Old.ID}, r.Old.ID != ""
	case rotation.EffectCompensate:
		return oracle.Act{Kind: oracle.Revoke, ID: r.Orphan}, r.Orphan != ""
	case rotation.EffectDiscard:
		if len(rec.Orphans) > 0 {
			return oracle.Act{Kind: oracle.Revoke, ID: rec.Orphans[0].ID}, true
		}
		return oracle.Act{}, false
	default:
		return oracle.Act{}, false
	}
}

// listed are the secrets of a snapshot. Whose they are is told by their labels alone.
func listed(snap providers.Snapshot) []oracle.Secret {
	var list []oracle.Secret
	for _, s := range snap.Secrets {
		maker := oracle.ByPerson
		if _, _, ours := credential.ParseLabel(s.Label); ours {
			maker = oracle.ByRotad
		}
		list = append(list, oracle.Secret{ID: s.ID, Label: s.Label, Maker: maker, Live: !s.Expired(snap.Time)})
	}
	return list
}

// published says whether Vault hands out what rotad has recorded and the provider still lists it: then nobody else is
// the reason if it is refused. A client that is held is known to people already.
func published(rec credential.Record, l *rotation.Look) bool {
	current, found := l.Snapshot.Find(rec.Current.ID)
	return l.HasValue && l.Version == rec.Version && rec.Version != 0 && rec.Hold == nil && !l.Snapshot.Caps.Disabled &&
		found && current.ID != "" && !current.Expired(l.Snapshot.Time)
}
