package kills

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/kills/wire"
	"github.com/rotad/rotad/test/servers"
)

// person makes secrets in the portal, brings them to rotad, and removes the old ones. Like people do, it repeats with the
// same value what was not confirmed.
type person struct {
	w     *killed
	ids   []string
	made  map[string]string // by client: the value that is on its way
	busy  bool              // new secrets are made
	retry chan string       // clients whose hold is to be tried again
}

func newPerson(w *killed) *person {
	p := &person{w: w, made: map[string]string{}, busy: true, retry: make(chan string, 100)}
	for _, k := range w.kinds {
		if k.mode == credential.ModeManual {
			p.ids = append(p.ids, ids(k)...)
		}
	}
	return p
}

// during works while a life lasts.
func (p *person) during(ctx context.Context) {
	socket := p.w.socket()
	for ctx.Err() == nil {
		for _, id := range p.ids {
			p.look(ctx, socket, id)
		}
		p.resume(ctx, socket)
		servers.Pause(ctx, 400*time.Millisecond)
	}
}

func (p *person) look(ctx context.Context, socket *admin.Client, id string) {
	rec, ok, err := socket.Get(ctx, id)
	if err != nil || !ok {
		return
	}
	switch {
	case rec.Rotation != nil && rec.Phase() == credential.PhaseOverlap:
		delete(p.made, id)
		_ = post(ctx, p.w.provider+wire.PathRemoveOld, wire.Client{ID: id}, nil) // asked again as long as it is needed
	case rec.Rotation != nil, rec.Hold != nil, rec.Sight != credential.SightAdopted && rec.Sight != credential.SightUnknownID:
	case p.busy || p.made[id] != "":
		p.bring(ctx, socket, id)
	}
}

// bring submits a value: a new one, or the one that was not confirmed.
func (p *person) bring(ctx context.Context, socket *admin.Client, id string) {
	if p.made[id] == "" {
		var value string
		if post(ctx, p.w.provider+wire.PathIssue, wire.Client{ID: id}, &value) != nil {
			return
		}
		p.made[id] = p.w.Known(value)
	}
	if _, err := socket.Do(ctx, admin.Command{Verb: admin.VerbPrepare, Client: id}); err != nil {
		return
	}
	command := admin.Command{Verb: admin.VerbSubmit, Client: id, Value: credential.NewSensitive(p.made[id]), Never: true}
	_, err := socket.Do(ctx, command)
	var said *admin.Error
	if err == nil || errors.As(err, &said) && said.Why == "this is the value that Vault hands out already" {
		delete(p.made, id)
	}
}

// resume tells rotad to try again where it has asked for that.
func (p *person) resume(ctx context.Context, socket *admin.Client) {
	for {
		select {
		case id := <-p.retry:
			command := admin.Command{Verb: admin.VerbResume, Client: id, Resolve: credential.ResolveRetry, Reason: "after a kill"}
			if _, err := socket.Do(ctx, command); err != nil {
				return // asked for again after the next kill
			}
		default:
			return
		}
	}
}
