// Package channeltest is the contract of a channel: what every one has to do, whatever it speaks. A channel that passes can be
// trusted with the outbox, which knows nothing of it but its errors.
//
//	Run ──► Place.Behave (takes, refuses, breaks off, hangs) ──► stand-in ◄── Channel.Send
//	 └────► Place.Arrived, Place.Secrets ◄── what it kept, what may stand in no error
package channeltest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/notify"
)

// Behaviour is what the other side of a channel does with a message.
type Behaviour string

// The behaviours.
const (
	Takes       Behaviour = "takes"
	RefusesNow  Behaviour = "refuses for now"       // and says for how long, if it can
	RefusesEver Behaviour = "refuses for good"      // this message, whoever repeats it
	BreaksFirst Behaviour = "breaks off before"     // the connection is lost before the message has been read
	BreaksAfter Behaviour = "breaks off afterwards" // it is lost after the message was taken and before the answer
	Hangs       Behaviour = "hangs"                 // it says nothing more
)

func troubles() []Behaviour {
	return []Behaviour{RefusesNow, RefusesEver, BreaksFirst, BreaksAfter, Hangs}
}

// Wait is what a place that refuses for now asks for, where it can.
const Wait = 7 * time.Minute

// Place is a channel and the stand-in that it speaks to.
type Place struct {
	Channel notify.Channel
	// Message is one for this channel.
	Message notify.Message
	// Behave tells the stand-in what to do from now on.
	Behave func(Behaviour)
	// Arrived returns the ids of the messages that were taken, in the order of arrival.
	Arrived func() []string
	// Read returns the last one as its reader sees it.
	Read func() string
	// Says is whether the other side can say when it wants to be asked again.
	Says bool
	// Secrets are what may stand in no error.
	Secrets []string
	// Bound is how long a send may take at most, however slow the other side is.
	Bound time.Duration
}

// Run tries a channel. Open makes a new place, which takes what it gets.
func Run(t *testing.T, open func(t *testing.T) Place) {
	t.Helper()
	rules := map[string]func(*testing.T, Place){
		"is delivered once, as it is":           deliveredOnce,
		"waits as long as it is told":           waits,
		"gives up what is refused for good":     givesUp,
		"repeats what broke off before":         func(t *testing.T, p Place) { repeats(t, p, BreaksFirst) },
		"repeats what broke off afterwards":     func(t *testing.T, p Place) { repeats(t, p, BreaksAfter) },
		"ends although the other side does not": ends,
		"has no secret in an error":             keepsSecrets,
		"does not begin once it is called off":  calledOff,
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) { rule(t, open(t)) })
	}
}

func deliveredOnce(t *testing.T, p Place) {
	if _, err := p.Channel.Send(t.Context(), p.Message); err != nil {
		t.Fatal(err)
	}
	if got := p.Arrived(); !slices.Equal(got, []string{p.Message.ID}) {
		t.Errorf("%q arrived, want %q once", got, p.Message.ID)
	}
	if read := p.Read(); !strings.Contains(read, p.Message.Client) {
		t.Errorf("the reader does not see which client it is about: %s", read)
	}
}

func waits(t *testing.T, p Place) {
	failed := fails(t, p, RefusesNow)
	if failed.Class != notify.ClassRetry && failed.Class != notify.ClassDown {
		t.Errorf("a refusal for now has the class %v", failed.Class)
	}
	if p.Says && failed.After != Wait {
		t.Errorf("it is asked again after %v, want %v", failed.After, Wait)
	}
	again(t, p)
	if got := p.Arrived(); !slices.Equal(got, []string{p.Message.ID}) {
		t.Errorf("%q arrived, want %q once", got, p.Message.ID)
	}
}

func givesUp(t *testing.T, p Place) {
	if failed := fails(t, p, RefusesEver); failed.Class != notify.ClassPermanent {
		t.Errorf("a refusal for good has the class %v", failed.Class)
	}
	if got := p.Arrived(); len(got) != 0 {
		t.Errorf("%q arrived", got)
	}
}

// repeats sees that a lost connection is no end, and that the second attempt can be told from another message.
func repeats(t *testing.T, p Place, how Behaviour) {
	failed := fails(t, p, how)
	if failed.Class == notify.ClassPermanent {
		t.Error("a lost connection ends the message")
	}
	if how == BreaksFirst && len(p.Arrived()) != 0 {
		t.Fatal("this place does not break off before")
	}
	again(t, p)
	got := p.Arrived()
	if len(got) == 0 || slices.ContainsFunc(got, func(id string) bool { return id != p.Message.ID }) {
		t.Errorf("%q arrived, want %q each time", got, p.Message.ID)
	}
}

func ends(t *testing.T, p Place) {
	ctx, cancel := context.WithTimeout(t.Context(), p.Bound)
	defer cancel()
	p.Behave(Hangs)
	_, err := p.Channel.Send(ctx, p.Message)
	if err == nil || ctx.Err() != nil {
		t.Errorf("it did not end by itself within %v: %v", p.Bound, err)
	}
}

func keepsSecrets(t *testing.T, p Place) {
	if len(p.Secrets) == 0 {
		t.Fatal("this place has no secret to keep")
	}
	for _, how := range troubles() {
		text := fails(t, p, how).Error()
		for _, secret := range p.Secrets {
			if strings.Contains(text, secret) {
				t.Errorf("where it %s, the error has a secret in it", how)
			}
		}
	}
}

func calledOff(t *testing.T, p Place) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Channel.Send(ctx, p.Message); err == nil || len(p.Arrived()) != 0 {
		t.Errorf("it was sent all the same: %v", err)
	}
}

func fails(t *testing.T, p Place, how Behaviour) *notify.SendError {
	t.Helper()
	p.Behave(how)
	_, err := p.Channel.Send(t.Context(), p.Message)
	var failed *notify.SendError
	if !errors.As(err, &failed) {
		t.Fatalf("where it %s, the error is %v", how, err)
	}
	return failed
}

func again(t *testing.T, p Place) {
	t.Helper()
	p.Behave(Takes)
	if _, err := p.Channel.Send(t.Context(), p.Message); err != nil {
		t.Fatalf("again: %v", err)
	}
}
