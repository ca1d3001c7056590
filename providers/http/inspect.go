package http

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// send fills in a call and sends it once. What the answer means is said by the rules, else by its status.
func (p *provider) send(ctx context.Context, operation string, c *call, v values) (*httpapi.Response, error) {
	return p.sendBy(ctx, p.client, operation, c, v)
}

func (p *provider) sendBy(ctx context.Context, by *httpapi.Client, operation string, c *call, v values) (*httpapi.Response, error) {
	r, err := c.request(operation, v)
	if err != nil {
		return nil, p.fault(operation, providers.ClassRejected, err)
	}
	resp, err := by.Do(ctx, r)
	if resp == nil {
		return nil, err
	}
	if class, ok := p.class(c.about, resp); ok {
		return resp, resp.Failed(class, errRule)
	}
	return resp, err
}

var errRule = errors.New("the answer matches a rule of the setting errors")

// read decodes the answer of a success.
func read(resp *httpapi.Response) (document, error) {
	var text json.RawMessage
	if err := resp.Decode(&text); err != nil {
		return document{}, err
	}
	d, err := decode(text)
	if err != nil {
		return document{}, resp.Failed(providers.ClassUnavailable, err)
	}
	return d, nil
}

// maxPages bounds how long a server can keep a look busy.
const maxPages = 20

var errPages = errors.New("the list has more pages than anybody's list of secrets")

// look reads what the provider shows of a client's secrets. A client without a secret may be answered like one that
// does not exist; where the description says how, it is then asked for itself.
func (p *provider) look(ctx context.Context, operation string, v values) (status, error) {
	var s status
	if p.inspect == nil {
		return s, nil
	}
	v = v.with("page", "")
	for range maxPages {
		resp, err := p.send(ctx, operation, p.inspect, v)
		if providers.ClassOf(err) == providers.ClassNotFound && p.known(ctx, operation, v) {
			return status{time: resp.Time}, nil
		}
		if err != nil {
			return status{}, err
		}
		d, err := read(resp)
		if err != nil {
			return status{}, err
		}
		if err = p.plan.look.read(d, p.naming(v), resp.Time, &s); err != nil {
			return status{}, resp.Failed(providers.ClassUnavailable, err)
		}
		next := p.plan.look.next.text(d)
		if next == "" {
			err = p.lookBeside(ctx, operation, v, &s)
			return s, err
		}
		v = v.with("page", next)
	}
	return status{}, p.fault(operation, providers.ClassUnavailable, errPages)
}

// lookBeside asks for the secret beside the current one, where that has an answer of its own. The client is known by then, so
// not-found means that there is no such secret.
func (p *provider) lookBeside(ctx context.Context, operation string, v values, s *status) error {
	if p.beside == nil {
		return nil
	}
	resp, err := p.send(ctx, operation, p.beside, v)
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := read(resp)
	if err != nil {
		return err
	}
	if err = p.plan.look.readOther(d, p.naming(v), resp.Time, s); err != nil {
		return resp.Failed(providers.ClassUnavailable, err)
	}
	return nil
}

// known says whether the provider certainly knows the client. Any doubt is a no: then the first answer stands.
func (p *provider) known(ctx context.Context, operation string, v values) bool {
	if p.exists == nil {
		return false
	}
	_, err := p.send(ctx, operation, p.exists, v)
	return err == nil
}

// with returns the values with one more.
func (v values) with(name string, value any) values {
	out := values{name: value}
	for n, one := range v {
		if n != name {
			out[n] = one
		}
	}
	return out
}

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	v, err := p.ref("inspect", t)
	if err != nil {
		return providers.Snapshot{}, err
	}
	s, err := p.look(ctx, "inspect", v)
	if err != nil {
		return providers.Snapshot{}, err
	}
	return p.shown(s, v, t.Grace), nil
}

// shown is what a look has found out. Stated is the grace that a person stated.
func (p *provider) shown(s status, v values, stated time.Duration) providers.Snapshot {
	return providers.Snapshot{Caps: p.capabilities(s, stated), ClientID: s.named(v), Secrets: s.secrets(), Time: s.time}
}

// named is the OAuth client_id: what the answer says, else the ref.
func (s status) named(v values) string {
	if s.clientID != "" {
		return s.clientID
	}
	id, _ := v[refClientID].(string)
	return id
}

var reasons = map[credential.Mode]string{
	credential.ModeTwoSlot:     "by configuration: secrets live side by side, each with an id",
	credential.ModeStaged:      "by configuration: a second secret waits until a request lets it take the current one's place",
	credential.ModeCaller:      "by configuration: rotad chooses the value, and secrets live side by side",
	credential.ModeGraceWindow: "by configuration: a create keeps the previous secret valid for a while",
	credential.ModeHardCutover: "by configuration: the old secret ends when the new one is made",
}

// capabilities says what can be done for this client. Stated is the grace that a person stated.
func (p *provider) capabilities(s status, stated time.Duration) credential.Capabilities {
	c := credential.Capabilities{
		Mode: p.mode, Reason: p.reason, Slots: p.slots, Readable: p.readable(), Required: s.required, Disabled: s.disabled,
		Labels:     p.create.asks("label") && p.plan.look.secret.label != nil,
		SetsExpiry: p.create.asks("expires", "lifetime"), Repeatable: p.repeatable && p.mode == credential.ModeCaller,
	}
	if c.Reason == "" {
		c.Reason = reasons[p.mode]
	}
	if c.Slots == 0 && (p.mode == credential.ModeGraceWindow || p.mode == credential.ModeStaged) {
		c.Slots = 2
	}
	c.StartReadable = p.plan.look.list != nil || s.current != nil && s.current.ID != ""
	if p.mode == credential.ModeGraceWindow {
		c.Grace = p.graceOf(s, stated)
		c.SlotRevoke = p.revoke != nil && !p.revokesByID()
	}
	return c
}

// graceOf is the life of the previous secret: what a create asks for, else what the last one showed, else what is
// stated. What a vendor calls its default is never assumed.
func (p *provider) graceOf(s status, stated time.Duration) time.Duration {
	if stated == 0 {
		stated = p.grace
	}
	if p.sendsGrace() || s.current == nil || s.other == nil || s.current.Start.IsZero() || s.other.Expires.IsZero() {
		return stated
	}
	if seen := s.other.Expires.Sub(s.current.Start); seen > 0 {
		return seen.Round(time.Second)
	}
	return stated
}

// nobody is the name of a client that does not exist.
const nobody = "rotad-asks-for-nobody"

// Check implements providers.Checker. It asks for a client that does not exist: an account with the right is told so,
// one without is refused.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	_, err := p.look(ctx, "check", values{refID: nobody, refClientID: nobody, refParent: nobody})
	switch providers.ClassOf(err) { //nolint:exhaustive // all others mean that the description does not fit
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, Refused: true, What: err.Error(), Hint: "does rotad's account have the right to look? " + Kind().Rights,
		}}
	case providers.ClassRejected:
		return []providers.Finding{{
			What: err.Error(), Hint: "the API answers; it refuses the name of a client that does not exist",
		}}
	}
	return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is url right, and does inspect fit the API?"}}
}
