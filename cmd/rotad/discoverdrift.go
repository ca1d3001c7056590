package main

import (
	"encoding/json"
	"fmt"

	"github.com/rotad/rotad/internal/tenant"
	"github.com/rotad/rotad/providers"
)

// drifting prints what differs between a tenant and what rotad has on record. Nothing is repaired: a difference is for a
// person, who may have meant it.
type drifting struct{ found int }

const driftFormat = "%-32s %-16s %-36s %s\n"

func (t *drifting) take(d *discovery, c providers.Listed) error {
	d.at.Counts.Count(d.judge.Rows(c))
	known, registered := d.records.find(c.Ref)
	if !registered {
		return nil
	}
	return t.say(d, tenant.Compare(known, c, d.began))
}

// end names the clients that no page has listed.
func (t *drifting) end(d *discovery) error {
	for _, known := range d.records.unseen() {
		if err := t.say(d, []tenant.Drift{tenant.Missing(known)}); err != nil {
			return err
		}
	}
	if t.found == 0 && !d.json {
		_, err := fmt.Fprintln(d.out, "nothing differs from what rotad has on record")
		return err
	}
	return nil
}

func (t *drifting) say(d *discovery, list []tenant.Drift) error {
	for _, one := range list {
		t.found++
		if d.json {
			if err := json.NewEncoder(d.out).Encode(one); err != nil { //nolint:gosec // an id, never a value
				return err
			}
			continue
		}
		if t.found == 1 {
			if _, err := fmt.Fprintf(d.out, driftFormat, "CLIENT", "DIFFERENCE", "SECRET", "DETAIL"); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(d.out, driftFormat, clean(one.Client), one.Difference, clean(orDash(one.Secret)), clean(one.Detail)); err != nil {
			return err
		}
	}
	return nil
}
