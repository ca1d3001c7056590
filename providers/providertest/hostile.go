package providertest

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// hostile is one way in which a server or a network misbehaves, and what may be concluded from it.
type hostile struct {
	name   string
	fault  fault             // nil = the server never answers
	read   []providers.Class // of a request that changes nothing
	create []providers.Class // of the request that creates
	raw    bool              // a create keeps the reply
	id     bool              // the reply has a request id
	after  time.Duration
	unsent bool // the server has not seen the request
}

// jsonBody is a body that looks like an answer of an API and is none of this one.
const jsonBody = `{"note":"` + bodyCanary + `"}`

// huge is larger than any limit on replies.
const huge = 3 << 20

func hostileWorld() []hostile {
	unavailable := []providers.Class{providers.ClassUnavailable}
	indeterminate := []providers.Class{providers.ClassIndeterminate}
	lost := []providers.Class{providers.ClassNotUnderstood}
	rejected := []providers.Class{providers.ClassRejected}
	throttled := []providers.Class{providers.ClassThrottled}
	auth := []providers.Class{providers.ClassAuth}
	json, html := "application/json", "text/html; charset=utf-8"
	return []hostile{
		{name: "500", fault: answer(500, json, jsonBody), read: unavailable, create: indeterminate, id: true},
		{name: "502 as a web page", fault: answer(502, html, "<html>"+bodyCanary), read: unavailable, create: indeterminate, id: true},
		{name: "504", fault: answer(504, "", ""), read: unavailable, create: indeterminate, id: true},
		{
			name: "429 with Retry-After", fault: answer(429, json, jsonBody, "Retry-After", "7"),
			read: throttled, create: throttled, id: true, after: 7 * time.Second,
		},
		{name: "401", fault: answer(401, json, `{"error":"`+bodyCanary+`2x"}`), read: auth, create: auth, id: true},
		{name: "403", fault: answer(403, json, jsonBody), read: auth, create: auth, id: true},
		{
			name: "redirect", fault: answer(302, html, bodyCanary, "Location", "https://elsewhere.invalid/x?"+bodyCanary),
			read: rejected, create: rejected, id: true,
		},
		{name: "200 as a web page", fault: answer(200, html, "<html>"+bodyCanary), read: unavailable, create: lost, raw: true, id: true},
		{name: "200 as text", fault: answer(200, "text/plain", bodyCanary), read: unavailable, create: lost, raw: true, id: true},
		{name: "200 cut short", fault: answer(200, json, `{"note":"`+bodyCanary), read: unavailable, create: lost, raw: true, id: true},
		{name: "200 of the wrong type", fault: answer(200, json, `"`+bodyCanary+`"`), read: unavailable, create: lost, raw: true, id: true},
		{
			name: "200 with an error inside", fault: answer(200, json, `{"error":{"code":"Boom","message":"`+bodyCanary+`"}}`),
			read: unavailable, create: lost, raw: true, id: true,
		},
		{
			name: "200 and huge", fault: answer(200, json, `{"note":"`+strings.Repeat(bodyCanary, huge/len(bodyCanary))+`"}`),
			read: unavailable, create: lost, raw: true, id: true,
		},
		{name: "refused connection", fault: refuse, read: unavailable, create: unavailable, unsent: true},
		{name: "garbled reply", fault: garble, read: unavailable, create: indeterminate},
		{name: "no reply", read: unavailable, create: indeterminate},
		// The last one, because here the server has made a secret: a kind may refuse the next create while the one before it
		// counts down.
		{name: "lost reply", fault: loseReply, read: unavailable, create: indeterminate},
	}
}

// inject lets the fault hit the requests that match, and returns the context for a call under it.
func (h hostile) inject(b *bench, match func(*http.Request) bool) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(b.Context())
	hit := h.fault
	if hit == nil {
		hit = hang(cancel)
	}
	b.faults.set(match, hit)
	return ctx, cancel
}

func all(*http.Request) bool { return true }

func inspectUnderFaults(b *bench) {
	made := b.Created()
	for _, h := range hostileWorld() {
		ctx, cancel := h.inject(b, all)
		_, err := b.provider.Inspect(ctx, b.Target)
		cancel()
		b.Logf("%s: %v", h.name, err)
		if b.NoLook {
			if err != nil {
				b.Errorf("%s: a look fails that asks for nothing: %v", h.name, err)
			}
			continue
		}
		e := b.mustFail(err, "inspect", append(h.read, loginClasses(h)...)...)
		h.check(b, e)
	}
	b.faults.set(nil, nil)
	if b.inspect(); b.Created() != made {
		b.Error("Inspect made a secret")
	}
}

// loginClasses are what else is right when the fault hits the login that comes first.
func loginClasses(h hostile) []providers.Class {
	if h.read[0] == providers.ClassUnavailable || h.read[0] == providers.ClassRejected {
		return []providers.Class{providers.ClassUnavailable, providers.ClassRejected}
	}
	return nil
}

func (h hostile) check(b *bench, e *providers.Error) {
	b.Helper()
	if h.id && e.RequestID != requestID {
		b.Errorf("%s: request id %q, want %q", h.name, e.RequestID, requestID)
	}
	if e.After != h.after {
		b.Errorf("%s: wait %v, want %v", h.name, e.After, h.after)
	}
}

// createUnderFaults hits only the request that creates. It is sent once, but for a definite 401 or 403, after which a
// new login may have helped.
func createUnderFaults(b *bench) {
	caps := b.inspect().Caps
	for _, h := range hostileWorld() {
		r := b.request(caps)
		ctx, cancel := h.inject(b, b.Creates)
		issued, err := b.provider.Create(ctx, b.Target, r)
		cancel()
		b.Logf("%s: %v", h.name, err)
		want := h.create
		if h.unsent && b.Bridged {
			want = []providers.Class{providers.ClassUnavailable, providers.ClassIndeterminate}
		}
		h.check(b, b.mustFail(err, "create", want...))
		if h.raw == issued.Raw.Empty() {
			b.Errorf("%s: the reply is kept: %t, want %t", h.name, !issued.Raw.Empty(), h.raw)
		}
		if len(issued.Bundle) > 0 {
			b.Errorf("%s: a failed create has a bundle", h.name)
		}
		most := 1
		if h.create[0] == providers.ClassAuth {
			most = 2
		}
		if n := b.faults.count(); n < 1 || n > most {
			b.Errorf("%s: the create was sent %d times", h.name, n)
		}
		if b.Mend != nil {
			b.faults.set(nil, nil)
			b.held = b.Mend(b.held)
		}
	}
}

// createAsksNobody: whatever the network does, a create that asks nobody makes one secret.
func createAsksNobody(b *bench) {
	caps := b.inspect().Caps
	for _, h := range hostileWorld() {
		made := b.Created()
		r := b.request(caps)
		ctx, cancel := h.inject(b, all)
		_, err := b.provider.Create(ctx, b.Target, r)
		cancel()
		if err != nil || b.Created() != made+1 || b.faults.count() != 0 {
			b.Errorf("%s: %v, %d secrets made, %d requests", h.name, err, b.Created()-made, b.faults.count())
		}
	}
}

// createThatLanded: the server has made the secret, and the reply breaks off. What came of it must not be lost, and
// nothing may be sent again.
func createThatLanded(b *bench) {
	caps, made := b.inspect().Caps, b.Created()
	b.faults.set(b.Creates, breakOff)
	issued, err := b.provider.Create(b.Context(), b.Target, b.request(caps))
	_ = b.mustFail(err, "create", providers.ClassNotUnderstood)
	if issued.Raw.Empty() && !caps.Mode.Chosen() { // what rotad has made stands in Vault, and the answer may have no body to lose
		b.Error("the part of the reply that came is lost")
	}
	if n := b.Created() - made; n != 1 || b.faults.count() != 1 {
		b.Errorf("the create was sent %d times and made %d secrets, want one", b.faults.count(), n)
	}
}

// keptReplyIsDecoded: a reply that was kept yields the bundle later.
func keptReplyIsDecoded(b *bench) {
	decoder, ok := providers.AsDecoder(b.provider)
	if !ok {
		return
	}
	b.faults.set(b.Creates, nil)
	issued := b.create(b.inspect().Caps)
	again, err := decoder.Decode(b.Target, credential.NewSensitive(string(b.faults.body())))
	if providers.ClassOf(err) == providers.ClassUnsupported { // a kind may not know whether it can before it is asked to
		return
	}
	if err != nil || !again.Bundle.Equal(issued.Bundle) || again.Secret.ID != issued.Secret.ID {
		b.Errorf("the kept reply yields id %q, want %q (%v)", again.Secret.ID, issued.Secret.ID, err)
	}
	_, err = decoder.Decode(b.Target, credential.NewSensitive(`{"note":"`+bodyCanary+`"`))
	_ = b.mustFail(err, "decode", providers.ClassNotUnderstood)
}

func verifyUnderFaults(b *bench) {
	for _, h := range hostileWorld() {
		ctx, cancel := h.inject(b, b.Verifies)
		answer, err := b.provider.Verify(ctx, b.Target, b.Bundle)
		cancel()
		if answer != providers.Unknown {
			b.Errorf("%s: Verify says %s, want unknown", h.name, answer)
		}
		e := b.mustFail(err, "verify", providers.ClassUnavailable, providers.ClassThrottled, providers.ClassRejected)
		h.check(b, e)
	}
}
