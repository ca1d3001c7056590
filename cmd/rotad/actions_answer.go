package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/templates"
)

// look says what a link is about, to the person who holds it. It changes nothing.
func (a *actions) look(ctx context.Context, l answer.Link) (answer.Matter, error) {
	rec, contact, err := a.asked(ctx, l)
	if err != nil {
		return answer.Matter{}, err
	}
	return answer.Matter{
		About: matter(l, &rec, a.now(), contact.Zone),
		Quiet: templates.NewWhen(a.now().Add(answer.SnoozeFor), a.now(), contact.Zone).Day(),
	}, nil
}

// answer does what a link is for. Its holder stands in the audit.
func (a *actions) answer(ctx context.Context, l answer.Link) error {
	rec, _, err := a.asked(ctx, l)
	if err != nil {
		return err
	}
	wish := rotation.Wish(rotation.Ack)
	if l.Verb == answer.VerbSnooze {
		wish = rotation.Snooze(a.now().Add(answer.SnoozeFor))
	}
	_, err = a.grant(ctx, rec, rotation.Person{Name: credential.ActorMail + l.To}, rotation.Answer(aboutNotice(l), wish), true)
	if err == nil {
		a.log.Info("a notice was answered by its link", "client", l.Client, "kind", l.Kind, "verb", l.Verb)
	}
	if said, ok := errors.AsType[*admin.Error](err); ok && said.Class == admin.ClassNotFound {
		return answer.ErrNobody
	}
	return unanswered(err)
}

// asked returns the record that a link is about, if its notice still waits for an answer of that reader.
func (a *actions) asked(ctx context.Context, l answer.Link) (credential.Record, notify.Contact, error) {
	rec, ok, err := a.store.Get(ctx, l.Client)
	if err != nil {
		return rec, notify.Contact{}, err
	}
	contact, may := answerFor(newDirectory(a.config()), rec.Client.Owner, l.To)
	if !ok || !may {
		return rec, contact, answer.ErrNobody
	}
	return rec, contact, unanswered(aboutNotice(l).Open(&rec))
}

func aboutNotice(l answer.Link) rotation.About { return rotation.About{Noted: l.Noted, Ends: l.Ends} }

// unanswered says in the words of the listener why an answer is not taken.
func unanswered(err error) error {
	switch {
	case errors.Is(err, rotation.ErrAnswered):
		return answer.ErrAnswered
	case errors.Is(err, rotation.ErrOutdated):
		return answer.ErrOutdated
	}
	return err
}

// matter is what a notice was about, as one sentence.
func matter(l answer.Link, rec *credential.Record, now time.Time, zone *time.Location) string {
	id := clean(l.Client)
	switch l.Kind {
	case credential.NoticeHeld:
		if rec.Hold != nil {
			return fmt.Sprintf("%s is held and needs a person: %s.", id, rec.Hold.Code)
		}
		return fmt.Sprintf("%s was held; the hold has ended since.", id)
	case credential.NoticeFailed:
		return fmt.Sprintf("The rotation of %s has failed, or fails again and again.", id)
	case credential.NoticeOldRemind:
		return fmt.Sprintf("The old secret of %s still has to be removed at the provider.", id)
	case credential.NoticeInUse:
		return fmt.Sprintf("The old secret of %s is still in use at the end of its overlap.", id)
	default:
	}
	ends := templates.NewWhen(l.Ends, now, zone)
	switch {
	case !ends.Known():
		return fmt.Sprintf("Somebody has to say when the secret of %s ends, or answer for one that never does.", id)
	case ends.Past():
		return fmt.Sprintf("The secret of %s expired on %s.", id, ends.Full())
	}
	return fmt.Sprintf("The secret of %s expires on %s.", id, ends.Full())
}
