package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/templates"
)

// openPublic lets people answer by the links in their mails, and read their calendars. A key that cannot be used is found out now
// rather than by the first person.
func (d *daemon) openPublic(ctx context.Context, l *listeners, a *actions) error {
	at, err := door(ctx, d.config().Listen.Public.Address, func() (cert, key string) {
		now := d.config().Listen.Public
		return now.TLSCertFile, now.TLSKeyFile
	})
	if at == nil || err != nil {
		return err
	}
	l.publicAt = at
	if _, err := publicKey(d.config()); err != nil {
		return fmt.Errorf("listen.public: %w", err)
	}
	server := &answer.Server{
		Key:      func() (string, error) { return d.config().Listen.Public.Secret("key") },
		Root:     func() string { return d.config().PublicURL },
		Trusted:  func() []netip.Prefix { return d.config().Listen.Public.Proxies() },
		Language: d.language,
		Look:     a.look, Act: a.answer, Feed: feeds{d}, Now: d.clocks.now, Log: d.log,
		Refused: func(r answer.Refusal) { d.meters.Refused(string(r)) },
	}
	l.serve(d, "public", func() error { return server.Serve(ctx, at) })
	return nil
}

// language returns a language as the templates in force have it.
func (d *daemon) language(tag string) *templates.Language { return d.renderer.Load().Language(tag) }

// refusals are the reasons that the listener for people refuses for, as the metrics name them.
func refusals() []string {
	all := answer.Refusals()
	out := make([]string, len(all))
	for i, r := range all {
		out[i] = string(r)
	}
	return out
}

// publicKey reads the key that links are signed with, and refuses one that could be guessed.
func publicKey(cfg *config.Config) (credential.Sensitive, error) {
	key, err := cfg.Listen.Public.Secret("key")
	if err == nil && len(key) < answer.MinKey {
		err = answer.ErrShortKey
	}
	return credential.NewSensitive(key), err
}

// answers writes the links of mails; nil where there is nothing that they could lead to. A mail goes without them where the key
// cannot be read: its commands say the same.
func (d *daemon) answers(cfg *config.Config) func(credential.Notice, string) []templates.Answer {
	if !cfg.Listen.Public.On() || cfg.PublicURL == "" {
		return nil
	}
	return func(n credential.Notice, to string) []templates.Answer {
		key, err := publicKey(cfg)
		var offers []answer.Offer
		if err == nil {
			offers, err = answer.Offers(cfg.PublicURL, key, &n, to)
		}
		if err != nil {
			d.log.Warn("a mail goes without the links to answer it; see listen.public.key_file", "client", n.Client, "error", err)
			return nil
		}
		out := make([]templates.Answer, len(offers))
		for i, o := range offers {
			out[i] = templates.Answer{Verb: string(o.Verb), Link: o.URL}
		}
		return out
	}
}

// answerFor says whether the reader at an address may answer for the clients of an owner: the team, whom its ladder tells, and the
// admins, who stand in. The contact is the one that the address belongs to, and says how its mail was written.
func answerFor(dir directory, owner, address string) (contact notify.Contact, ok bool) {
	team, _ := dir.Owner(owner)
	readers := []notify.Contact{team}
	for _, rung := range team.Escalate {
		if rung.To != notify.ToAdmins {
			above, _ := dir.Owner(rung.To)
			readers = append(readers, above)
		}
	}
	for _, contact := range append(readers, dir.Admins()) {
		if slices.Contains(contact.Emails, address) {
			return contact, true
		}
	}
	return notify.Contact{}, false
}
