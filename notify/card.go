package notify

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

// Card is a notice for channels that take no mail: words for a chat, and facts for a program.
type Card struct {
	Severity Severity
	Headline string // one line
	Lead     string // what it means, in a few sentences
	Rows     []templates.Row
	More     string // names the command that shows more; empty = nothing does
	Label    string // the severity, for people
	Why      string // why the reader gets it
	Source   string // what names this installation: a URI
	Facts    Facts
}

// Facts are what a program is told. They do not depend on the moment at which they are sent, so that every attempt has the
// same bytes. Times that are not known are left out.
type Facts struct {
	Kind        string            `json:"kind"`
	Severity    Severity          `json:"severity"`
	Summary     string            `json:"summary"` // what happened, in one line
	Client      string            `json:"client,omitempty"`
	Owner       string            `json:"owner,omitempty"`
	StandIn     bool              `json:"stand_in,omitzero"`  // told in place of an owner who cannot be reached
	Escalated   bool              `json:"escalated,omitzero"` // told because the owner has not acknowledged it
	Channel     string            `json:"channel,omitempty"`  // the channel that takes no notices
	Milestone   string            `json:"milestone,omitempty"`
	Provider    string            `json:"provider,omitempty"`
	Mode        string            `json:"mode,omitempty"`
	ClientRef   string            `json:"client_ref,omitempty"`
	VaultPath   string            `json:"vault_path,omitempty"`
	Version     int               `json:"vault_version,omitempty"`
	OldVersion  int               `json:"old_version,omitempty"`
	SecretID    string            `json:"secret_id,omitempty"`
	OldSecretID string            `json:"old_secret_id,omitempty"`
	Rotation    string            `json:"rotation,omitempty"`
	Cause       string            `json:"cause,omitempty"`
	Actor       string            `json:"actor,omitempty"`
	Reason      string            `json:"reason,omitempty"`
	Error       string            `json:"error,omitempty"`
	Hold        string            `json:"hold,omitempty"` // its code
	Expires     time.Time         `json:"expires,omitzero"`
	NextRotate  time.Time         `json:"next_rotate,omitzero"`
	OldDies     time.Time         `json:"old_dies,omitzero"`
	Labels      map[string]string `json:"labels,omitempty"`
	Notices     []Facts           `json:"notices,omitempty"` // of a digest: all that it says, the first to be due first
}

// card writes the parts of a notice for a reader who takes no mail.
func (r *Renderer) card(v view, d templates.Data) (*Card, error) {
	d.Chat = true
	words, err := r.set.RenderWords(d)
	if err != nil {
		return nil, err
	}
	then := v // the summary is read at the moment of the decision, whenever it is sent
	then.now, then.reader.Zone = v.notice.At, nil
	first := then.data()
	first.Chat = true
	summary, err := r.set.RenderWords(first)
	if err != nil {
		return nil, err
	}
	c := &Card{
		Severity: SeverityOf(v.notice), Label: v.say("card.severity."+string(SeverityOf(v.notice)), nil), Headline: words.Headline, Lead: words.Lead, Why: words.Why, Rows: d.Rows,
		Source: r.source(), Facts: v.facts(d),
	}
	if d.Ladder != "" {
		c.Lead += " " + d.Ladder + " " + d.Commands.Ack
	}
	c.Facts.Summary, c.Facts.Escalated = summary.Headline, d.Escalated
	if v.notice.Client != "" {
		c.More = v.say("card.more", d.Commands.Show)
	}
	return c, nil
}

// facts are the notice as a program reads it.
func (v view) facts(d templates.Data) Facts {
	f := v.notice.Facts
	out := Facts{
		Kind: d.Kind, Severity: SeverityOf(v.notice), Client: d.Client, Owner: d.Owner, StandIn: d.Fallback, Channel: d.Channel,
		Milestone: v.name(d.Milestone), Provider: d.Provider, Mode: string(f.Mode), ClientRef: v.name(f.ClientRef),
		VaultPath: d.Path, Version: d.Version, OldVersion: d.OldVersion, SecretID: d.SecretID, OldSecretID: d.OldSecretID,
		Rotation: d.Rotation, Cause: string(f.Cause.Kind), Actor: d.Actor, Reason: d.Reason, Error: capital(sentence(f.Error)) + stop(f.Error), Hold: d.Hold.Code,
		Expires: f.Expires.UTC(), NextRotate: f.NextRotate.UTC(), OldDies: f.OldDies.UTC(),
	}
	for _, key := range slices.Sorted(maps.Keys(f.Labels)) {
		if out.Labels == nil {
			out.Labels = map[string]string{}
		}
		out.Labels[clean(key, maxName)] = v.name(f.Labels[key])
	}
	return out
}

// source names this installation: by its page, or by a name that says nothing to outsiders.
func (r *Renderer) source() string {
	if r.sender.PublicURL != "" {
		return strings.TrimRight(r.sender.PublicURL, "/")
	}
	return "urn:rotad:" + digest(r.sender.Key, "source")[:shortHash]
}

// EventID returns the id of the message about a notice to one channel: the same in every attempt. It has no full stop, which
// would end it where it is signed.
func (r *Renderer) EventID(n credential.Notice, channel string) string {
	return "msg_" + digest(r.sender.Key, "event", n.Key, channel)[:longHash]
}
