package http

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

var (
	errServerChooses = errors.New("create has no {value}: the server chooses the value")
	errNoProposal    = errors.New("no value was proposed")
	errNoClock       = errors.New("the server does not say what time it has (Date header), so an end cannot be computed")
	errNoGrace       = errors.New("the grace is not known: state grace for the client or the provider, or the old secret would end at once")
	errPast          = errors.New("the wanted expiry has passed already by the server's clock")
)

// Create implements providers.Provider. It looks right before, and the look and the change share one deadline, so that
// the change is never sent later than the deadline after the call. Once a value is here nothing may lose it.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	v, err := p.ref("create", t)
	if err != nil {
		return providers.Issued{}, err
	}
	if err = p.proposal(r); err != nil {
		return providers.Issued{}, err
	}
	work, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	before, err := p.look(work, "create", v)
	if err != nil {
		return providers.Issued{}, err
	}
	if p.ownLogin(before) {
		return providers.Issued{}, p.fault("create", providers.ClassUnsupported, errOwnLogin)
	}
	c := p.create
	if p.first != nil && before.empty() {
		c = p.first
	}
	m := making{v: v, before: before, own: r.Proposed.Secret(), grace: p.graceOf(before, t.Grace)}
	if err = p.fill(c, &m, r); err != nil {
		return providers.Issued{}, err
	}
	resp, err := p.send(work, "create", c, m.v)
	if err != nil {
		return unread(resp, err)
	}
	issued, err := p.reply(resp, m)
	if err != nil {
		return unread(resp, err)
	}
	return p.completed(ctx, issued, m), nil
}

var errOwnLogin = errors.New("rotad logs in with this client itself, and a new secret of it has another client_id, which the setting client_id " +
	"would not follow: let another client log in")

// ownLogin says whether a client is the one that rotad logs in with, where a secret is named by its client_id. The new one has
// another, and when the old one ended nobody could log in to go on.
func (p *plan) ownLogin(s status) bool {
	_, own := s.find(p.access.ClientID)
	return own
}

// making is one secret that is about to be made.
type making struct {
	v      values
	before status
	own    credential.Sensitive // the value that rotad sends; empty = the server chooses
	grace  time.Duration
}

// proposal refuses a value where the server chooses, and the lack of one where rotad does.
func (p *provider) proposal(r providers.Request) error {
	switch {
	case len(r.Proposed) > 0 && !p.ownValue():
		return p.fault("create", providers.ClassUnsupported, errServerChooses)
	case len(r.Proposed) == 0 && p.mode == credential.ModeCaller:
		return p.fault("create", providers.ClassRejected, errNoProposal)
	}
	return nil
}

// fill adds what only a create sends. Its errors are definite: nothing has been sent.
func (p *provider) fill(c *call, m *making, r providers.Request) error {
	now := m.before.time
	v := m.v.with("label", r.Label).with("reason", r.Reason).with("expires", r.Expires)
	if err := p.withGrace(c, m, v); err != nil {
		return err
	}
	switch {
	case r.Expires.IsZero():
	case !now.IsZero() && !r.Expires.After(now):
		return p.fault("create", providers.ClassRejected, errPast)
	case !now.IsZero():
		v["lifetime"] = r.Expires.Sub(now)
	case c.asks("lifetime"):
		return p.fault("create", providers.ClassUnavailable, errNoClock)
	}
	if m.own.Empty() && p.ownValue() {
		m.own = p.chosen.make()
	}
	m.v = v.with("value", m.own)
	return nil
}

// withGrace adds how long the previous secret is to live. A request that states it is not sent without: the server would
// end the previous secret at once.
func (p *provider) withGrace(c *call, m *making, v values) error {
	switch {
	case m.grace > 0:
		v["grace"] = m.grace
	case c.asks("grace", "grace_end") && p.mode == credential.ModeGraceWindow:
		return p.fault("create", providers.ClassRejected, errNoGrace)
	}
	if c.asks("grace_end") && m.before.time.IsZero() {
		return p.fault("create", providers.ClassUnavailable, errNoClock)
	}
	if m.grace > 0 {
		v["grace_end"] = m.before.time.Add(m.grace)
	}
	return nil
}

// unread keeps the body of an answer that could not be read.
func unread(resp *httpapi.Response, err error) (providers.Issued, error) {
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	return providers.Issued{}, err
}

var errNoSecret = errors.New("there is no secret, or no id, where create.answer looks for it; correct it, and retry")

var errStrange = errors.New("the answer is neither empty nor an object, so something else than the API may have given it")

// reply reads the answer to a create. Where rotad chose the value and nothing else is looked for, it may be empty.
func (p *provider) reply(resp *httpapi.Response, m making) (providers.Issued, error) {
	var d document
	if raw := resp.Raw(); !raw.Empty() || m.own.Empty() || p.answer.names() {
		var err error
		if d, err = read(resp); err != nil {
			return providers.Issued{}, err
		}
		if _, object := d.root.(map[string]any); !object && !p.answer.names() {
			return providers.Issued{}, resp.Failed(providers.ClassNotUnderstood, errStrange)
		}
	}
	issued, ok := p.issued(d, p.answer, m, resp.Time)
	if !ok || !m.own.Empty() && p.answer.id != nil && issued.Secret.ID == "" {
		return providers.Issued{}, resp.Failed(providers.ClassNotUnderstood, errNoSecret)
	}
	return issued, nil
}

// issued puts together what an answer says of a secret; ok = false if its value is not in it.
func (p *provider) issued(d document, a answer, m making, at time.Time) (issued providers.Issued, ok bool) {
	slot := ""
	switch {
	case p.mode == credential.ModeStaged:
		slot = providers.SlotStaged
	case p.plan.look.list == nil:
		slot = providers.SlotCurrent
	}
	h := a.read(d, p.naming(m.v), slot, at)
	if !m.own.Empty() {
		if a.value != nil && !h.value.Equal(m.own) {
			return providers.Issued{}, false // whoever answers this has not set what rotad sent
		}
		h.value = m.own
	}
	if h.value.Empty() {
		return providers.Issued{}, false
	}
	if h.ID == "" && p.plan.look.byValue() {
		h.ID = p.naming(m.v).digest(h.value)
	}
	clientID := a.clientID.text(d)
	if clientID == "" {
		clientID = m.before.named(m.v)
	}
	issued.Secret, issued.OldDies = h.Secret, a.oldDies.moment(d, unitAuto, at).at
	issued.Bundle = credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(clientID), credential.FieldClientSecret: h.value,
	}
	return issued, true
}

// byValue says whether secrets are named by a digest of their value, because nothing else names them.
func (l look) byValue() bool {
	return l.list == nil && l.current.id == nil && l.current.start == nil && l.current.value != nil
}

// namingTime bounds how long a new secret that is only in memory may wait for its dates.
const namingTime = 3 * time.Second

// completed looks once for what the answer does not say of the new secret, because its id and dates are what it is
// found by later. Whatever goes wrong here, the secret itself is handed on.
func (p *provider) completed(ctx context.Context, issued providers.Issued, m making) providers.Issued {
	if p.inspect == nil || !p.plan.look.shows(issued.Secret) {
		return p.dated(issued, m)
	}
	short, cancel := context.WithTimeout(context.WithoutCancel(ctx), namingTime)
	defer cancel()
	after, err := p.look(short, "create", m.v)
	if found, ok := after.fresh(m.before, issued); err == nil && ok {
		issued.Secret = found.Secret
		if after.other != nil && issued.OldDies.IsZero() {
			issued.OldDies = after.other.Expires
		}
	}
	return p.dated(issued, m)
}

// shows says whether a look shows what is not known of a secret.
func (l look) shows(s credential.Secret) bool {
	f := l.current
	if l.list != nil {
		f = l.secret
	}
	return s.ID == "" || s.Start.IsZero() && f.start != nil || s.Expires.IsZero() && !s.Never && f.expires != nil
}

// fresh finds the new secret in a look: the one with its id or value, else the only one that was not there before.
func (s status) fresh(before status, issued providers.Issued) (held, bool) {
	if h, ok := s.find(issued.Secret.ID); ok {
		return h, true
	}
	var found []held
	for _, h := range s.all() {
		_, known := before.find(h.ID)
		if h.Slot == providers.SlotPrevious || h.ID == "" || known {
			continue
		}
		if !h.value.Empty() && !h.value.Equal(issued.Bundle.Secret()) {
			continue
		}
		found = append(found, h)
	}
	if len(found) != 1 || issued.Secret.ID != "" {
		return held{}, false
	}
	return found[0], true
}

// dated says when the old secret dies, where the answer does not.
func (p *provider) dated(issued providers.Issued, m making) providers.Issued {
	switch start := issued.Secret.Start; {
	case m.before.empty() && p.inspect != nil, p.mode.Additive():
		issued.OldDies = time.Time{} // there was nothing before it, or the old one lives on
	case p.mode == credential.ModeGraceWindow && issued.OldDies.IsZero() && m.grace > 0:
		if start.IsZero() {
			start = m.before.time
		}
		if !start.IsZero() {
			issued.OldDies = start.Add(m.grace)
		}
	case p.mode == credential.ModeHardCutover && issued.OldDies.IsZero():
		issued.OldDies = start
	}
	return issued
}

var errNotRepeated = errors.New("rotad chose the value, and the answer does not repeat it")

// Decode implements providers.Decoder: a stored answer, with places that have been corrected since.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	v, err := p.ref("decode", t)
	if err != nil {
		return providers.Issued{}, err
	}
	if p.ownValue() && p.answer.value == nil {
		return providers.Issued{}, p.fault("decode", providers.ClassUnsupported, errNotRepeated)
	}
	d, err := parse(raw)
	if err != nil {
		return providers.Issued{}, p.fault("decode", providers.ClassNotUnderstood, err)
	}
	issued, ok := p.issued(d, p.answer, making{v: v}, time.Time{})
	if !ok {
		return providers.Issued{}, p.fault("decode", providers.ClassNotUnderstood, errNoSecret)
	}
	return issued, nil
}
