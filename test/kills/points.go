package kills

import (
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/kills/wire"
)

// pair is one place where a client of one kind can die: a failpoint, or a request at which its provider kills the daemon.
type pair struct {
	point string // "point/part"; "+" at the end = a moment after it
	kind  string // empty = nobody's in particular
}

// requestPoint begins the points at which the provider kills.
const requestPoint = "request/"

// slow says that a point lies behind the wait for an unknown create, which counts from the start of each process.
func (p pair) slow() bool {
	for _, part := range []string{"settle", "next-fence", "compensat"} {
		if strings.Contains(p.point, part) {
			return true
		}
	}
	return false
}

// startOnly says that a point is reached only while clients are registered for the first time.
func (p pair) startOnly() bool { return strings.HasSuffix(p.point, "/register") }

// orphans says that who dies here, of a provider with two slots, leaves a secret there that is to be compensated.
func (p pair) orphans() bool {
	switch p.point {
	case "create/after", "stage/before", requestPoint + wire.OpCreate + "-" + wire.WhenDone, requestPoint + wire.OpCreate + "-" + wire.WhenLate:
		return true
	default:
		return false
	}
}

// compensating are the points that only such an orphan leads to.
func compensating() []string {
	return append(around("compensate"), commits(credential.PhaseCompensating)...)
}

// around are the three points of an effect: before it, before its outcome is committed, and after.
func around(effects ...string) []string {
	var list []string
	for _, e := range effects {
		list = append(list, "effect/"+e, "outcome/"+e, "recorded/"+e)
	}
	return list
}

// commits are the points around a commit that leaves the record in one of these phases.
func commits(phases ...credential.Phase) []string {
	var list []string
	for _, p := range phases {
		list = append(list, "commit/"+string(p), "committed/"+string(p))
	}
	return list
}

// pointsOf are the points that a client of a kind can come to.
func pointsOf(k kind) []string {
	list := slices.Concat(
		around("look", "verify", "promote", "negative", "clean-up"),
		commits("register", credential.PhaseSteady, credential.PhaseStaged, credential.PhaseVerified, credential.PhaseOverlap, credential.PhaseRevoking),
		[]string{
			"fence/before", "fence/after", "fence/before+", "stage/before", "stage/after", "stage/before+",
			"promote/before", "promote/after", "promote/before+", "idle/before", "idle/after", "destroy/before", "destroy/between",
			"notice/before", "notice/begun", "notice/sent", "notice/begun+",
		})
	if k.mode == credential.ModeManual {
		return list
	}
	list = slices.Concat(list, around("prepare", "create"), commits(credential.PhaseIntent),
		[]string{"create/before", "create/after", "create/before+"})
	if k.mode == credential.ModeHardCutover {
		list = slices.Concat(slices.DeleteFunc(list, isOneOf("verify", "negative")), around("prove"))
	} else {
		list = slices.Concat(list, around("gate", "revoke"))
	}
	if k.mode != credential.ModeCaller {
		list = slices.Concat(list, around("settle"), []string{"next-fence/before", "next-fence/after"})
	}
	if k.mode == credential.ModeTwoSlot {
		list = slices.Concat(list, around("compensate"), commits(credential.PhaseCompensating))
	}
	if k.mode == credential.ModeTwoSlot || k.mode == credential.ModeCaller {
		list = append(list, "delete/before", "delete/after", "delete/before+")
	}
	return slices.Concat(list, requests(k))
}

func isOneOf(effects ...string) func(string) bool {
	return func(point string) bool {
		_, part, _ := strings.Cut(point, "/")
		return slices.Contains(effects, part) || point == "committed/verified" || point == "commit/verified"
	}
}

// requests are the points at which the sandbox itself kills.
func requests(k kind) []string {
	if k.server != "" {
		return nil
	}
	var list []string
	for _, when := range []string{wire.WhenReceived, wire.WhenDone, wire.WhenLate} {
		list = append(list, requestPoint+wire.OpCreate+"-"+when)
		if k.name == "entra" {
			list = append(list, requestPoint+wire.OpRevoke+"-"+when)
		}
	}
	return list
}

// nobodys are the points that belong to no client.
func nobodys() []pair {
	var list []pair
	for _, p := range []string{"disk/before", "disk/after", "disk/before+", "vault/before", "vault/after", "vault/before+"} {
		list = append(list, pair{point: p})
	}
	return list
}

// pairsOf are all pairs of a world that belong to a client.
func pairsOf(list []kind) []pair {
	var all []pair
	for _, k := range list {
		for _, p := range pointsOf(k) {
			all = append(all, pair{point: p, kind: k.name})
		}
	}
	return all
}
