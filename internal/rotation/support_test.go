package rotation_test

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

const day = 24 * time.Hour

// noon is the moment at which the tests stand: a Monday.
func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

// policy is the policy of the example configuration.
func policy() credential.Policy {
	return credential.Policy{
		Name: "default", Start: credential.StartAuto, Lifetime: 90 * day, RotateBefore: 14 * day, Overlap: 3 * day, Announce: 7 * day,
		Warn: []credential.Warning{{Before: 30 * day}, {Before: 7 * day, Every: day}}, WarnWhen: credential.WarnUnlessAutomatic,
	}
}

// env is what a decision depends on at a moment.
func env(now time.Time, p credential.Policy) rotation.Env {
	return rotation.Env{
		Now: now, Second: now, Elapsed: time.Hour, Boot: "boot", Policy: p, NextLook: now.Add(time.Hour), FreshID: "rotation-1",
		FreshUID: "uid-1", Instance: "instance", Timing: providers.Timing{Deadline: 30 * time.Second, Propagation: time.Minute},
	}
}

// steady is an adopted client whose secret ends after so long.
func steady(left time.Duration) credential.Record {
	now := noon()
	return credential.Record{
		Client: credential.Client{
			ID: "billing", Provider: "idp", Ref: credential.Ref{"client_id": "billing"}, Owner: "payments",
			Policy: "default", Vault: credential.VaultPath{Mount: "secret", Path: "apps/billing"},
		},
		Since: now.Add(-30 * day), Sight: credential.SightAdopted, Proved: true, Version: 3, Looked: now, NextLook: now.Add(30 * time.Minute),
		Caps:    credential.Capabilities{Mode: credential.ModeTwoSlot, Labels: true, StartReadable: true},
		Current: credential.Secret{ID: "secret-1", Start: now.Add(left - 90*day), Expires: now.Add(left)},
	}
}

// look is what a look sees of that client when all is well.
func look(rec credential.Record) *rotation.Look {
	return &rotation.Look{
		Found: true, Version: rec.Version, HasValue: true, Answer: providers.Accepted, Random: providers.Refused,
		Snapshot: providers.Snapshot{Caps: rec.Caps, ClientID: "billing", Secrets: []credential.Secret{rec.Current}},
	}
}

func kindsOf(d rotation.Decision) []credential.NoticeKind {
	var kinds []credential.NoticeKind
	for _, n := range d.Notices {
		kinds = append(kinds, n.Kind)
	}
	return kinds
}
