package scenarios_test

import (
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/world"
)

// appRole rotates SecretIDs of a real Vault: beside each other by id (two-slot), and with values that rotad chooses.
func appRole(w *world.World) {
	modes := map[string]credential.Mode{"worker": credential.ModeTwoSlot, "chosen": credential.ModeCaller}
	for id := range modes {
		w.AddAppRole(id, id == "chosen")
		w.ConsumeAppRole(id)
	}
	d := w.Start()
	for id, mode := range modes {
		r := d.Await(id, 30*time.Second, "is adopted", sighted(credential.SightAdopted))
		if r.Mode() != mode {
			w.T.Errorf("%s has the mode %q, want %q", id, r.Mode(), mode)
		}
		d.Do("rotate", id, "--reason", "scenario")
	}
	olds := map[string]*credential.Rotation{}
	for id := range modes {
		olds[id] = appRoleOverlap(w, d, id)
	}
	for id := range modes {
		appRoleAfterwards(w, d, id, olds[id])
	}
}

// appRoleOverlap finds both SecretIDs accepted.
func appRoleOverlap(w *world.World, d *world.Daemon, id string) *credential.Rotation {
	t := w.T
	t.Helper()
	overlap := d.Await(id, time.Minute, "is in its overlap", inPhase(credential.PhaseOverlap))
	old, err := w.Vault.Get(t.Context(), world.AppPath(id), overlap.Rotation.OldVersion)
	w.Must(err)
	fresh := w.Stored(id)
	for name, value := range map[string]string{"old": old.Text("secret_id"), "new": fresh.Text("secret_id")} {
		if ok, refusal := w.Vault.Login(t.Context(), fresh.Text("role_id"), w.Known(value)); !ok {
			t.Errorf("%s: in the overlap the %s SecretID is refused (%v)", id, name, refusal)
		}
	}
	return overlap.Rotation
}

// appRoleAfterwards finds the old SecretID gone, at Vault's login, in its list, and in the consumer path.
func appRoleAfterwards(w *world.World, d *world.Daemon, id string, r *credential.Rotation) {
	t := w.T
	t.Helper()
	old, err := w.Vault.Get(t.Context(), world.AppPath(id), r.OldVersion)
	w.Must(err)
	d.Await(id, 2*time.Minute, "has rotated", finished(r.OldVersion))
	accepted, err := w.Vault.Login(t.Context(), "id-of-"+id, old.Text("secret_id"))
	if accepted || err != nil {
		t.Errorf("%s: the old SecretID is accepted afterwards: %t (%v)", id, accepted, err)
	}
	accessors, err := w.Vault.Accessors(t.Context(), id)
	w.Must(err)
	if slices.Contains(accessors, r.Old.ID) || len(accessors) != 1 {
		t.Errorf("%s: vault lists the SecretIDs %v, want one, and not the old %s", id, accessors, r.Old.ID)
	}
	meta, err := w.Vault.Metadata(t.Context(), world.AppPath(id))
	w.Must(err)
	if !meta.Versions[r.OldVersion].Destroyed {
		t.Errorf("%s: the version with the old SecretID is not destroyed", id)
	}
}
