package main

import (
	"context"
	"errors"

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
	m := answer.Matter{Language: contact.Language}
	if err != nil {
		return m, err
	}
	in := a.language(contact.Language)
	m.Quiet = in.When(a.now().Add(answer.SnoozeFor), a.now(), contact.Zone).Day()
	m.About, err = matter(in, l, &rec, in.When(l.Ends, a.now(), contact.Zone))
	return m, err
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
		return rec, notify.Contact{}, answer.ErrNobody
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
func matter(in *templates.Language, l answer.Link, rec *credential.Record, ends templates.When) (string, error) {
	about := struct {
		Client string
		Hold   credential.HoldCode
		Ends   templates.When
	}{Client: clean(l.Client), Ends: ends}
	key := "expires"
	switch l.Kind {
	case credential.NoticeHeld:
		key = "released"
		if rec.Hold != nil {
			key, about.Hold = "held", rec.Hold.Code
		}
	case credential.NoticeFailed, credential.NoticeOldRemind, credential.NoticeInUse:
		key = string(l.Kind)
	default:
		switch {
		case !ends.Known():
			key = "unknown"
		case ends.Past():
			key = "expired"
		}
	}
	return in.Say("page.about."+key, about)
}
