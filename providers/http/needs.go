package http

import "github.com/rotad/rotad/internal/credential"

// need is something that a description cannot do without.
type need struct {
	missing        bool
	at, what, hint string
}

// needs reports what a description lacks, or has in vain.
func (c *compiler) needs(p *plan) {
	all := p.needsOfCreate()
	if p.mode == credential.ModeTwoSlot || p.mode == credential.ModeCaller {
		all = append(all, p.needsOfList()...)
	}
	all = append(all, p.needsOfStaged()...)
	all = append(all, p.needsOfLook()...)
	all = append(all, p.needsOfBeside()...)
	for _, n := range all {
		if n.missing {
			c.report(n.at, n.what, n.hint)
		}
	}
}

func (p *plan) needsOfCreate() []need {
	if p.create == nil {
		return []need{{true, "create.path", "is required", "which request makes a secret?"}}
	}
	return []need{
		{
			p.mode == credential.ModeCaller && !p.ownValue(), "create", "needs {value} in this mode",
			"the value that rotad chose has to be sent",
		},
		{
			p.answer.value == nil && !p.ownValue(), "create.answer.value", "is required",
			"where in the answer does the new secret stand?",
		},
	}
}

// needsOfList are those of secrets that live side by side.
func (p *plan) needsOfList() []need {
	return []need{
		{p.look.list == nil, "inspect.list", "is required in this mode", "secrets side by side are told apart by a list"},
		{p.look.secret.id == nil, "inspect.secret.id", "is required in this mode", "a secret is revoked by its id"},
		{!p.revokesByID(), "revoke", "needs {secret_id} in this mode", "a secret is revoked by its id"},
	}
}

// needsOfStaged are those of a secret that waits beside the current one. Its value cannot be told from that of the current one by
// reading back, so nothing is.
func (p *plan) needsOfStaged() []need {
	staged := p.mode == credential.ModeStaged
	return []need{
		{staged && (!p.look.current.lasting() || !p.look.staged.lasting()), "inspect", "needs current and staged, each with id or start", "the two are told apart by a look"},
		{staged && p.look.list != nil, "inspect.list", "means nothing in this mode", "write current and staged"},
		{staged && p.revoke == nil, "revoke", "is required in this mode", "which request takes a staged secret back?"},
		{staged && p.activate == nil, "activate", "is required in this mode", "which request lets the staged secret take the current one's place?"},
		{staged && p.readable(), "recover", "means nothing in this mode", "take it out, and value out of inspect.current"},
		{!staged && p.activate != nil, "activate", "means nothing in this mode", "write mode: staged"},
		{!staged && p.look.staged.names(), "inspect.staged", "means nothing in this mode", "write mode: staged"},
	}
}

// lasting says whether a secret is named by what it keeps when it changes places.
func (f fields) lasting() bool { return f.id != nil || f.start != nil }

func (p *plan) needsOfLook() []need {
	blind := p.inspect == nil
	unproved := p.verify.settings.TokenURL == "" && p.verify.settings.Request == nil
	return []need{
		{unproved, "verify", "needs token_url or request", "a secret that nobody can prove would be published all the same"},
		{blind && p.revoke != nil && !p.revokesByID(), "revoke", "needs inspect", "a slot is ended only after a look at what it holds"},
		{p.revoke != nil && p.mode == credential.ModeHardCutover, "revoke", "means nothing in this mode", "the old secret ends with the create"},
		{
			p.beforeRevoke != nil && (!p.revokesByID() || !p.beforeRevoke.asks("secret_id")), "revoke.before", "needs {secret_id}, here and in revoke",
			"what is switched off and what is ended have to be the same secret",
		},
		{blind && p.first != nil, "create.first", "needs inspect", "only a look tells whether there is a secret"},
		{blind && p.listing.call != nil, "list", "needs inspect", "without it nothing is known of a client that was found"},
		{blind && p.exists != nil, "exists", "needs inspect", ""},
		{!blind && !p.look.reads(), "inspect", "says nothing about secrets", "write list and secret, or current"},
	}
}

// needsOfBeside are those of a secret that stands beside the current one.
func (p *plan) needsOfBeside() []need {
	other, _ := p.look.other()
	return []need{
		{
			p.beside != nil && (p.inspect == nil || p.look.list != nil || !other.names()), "inspect.beside", "needs current, and previous or staged",
			"it is for slots of which each has an answer of its own",
		},
		{p.handled() && other.handle == nil, "inspect", "needs a handle in previous or staged", "{handle} stands for what is found there"},
	}
}

// handled says whether a request names a secret by its handle.
func (p *plan) handled() bool { return p.revoke.asks("handle") || p.activate.asks("handle") }

// revokesByID says whether a revoke names the secret that it ends.
func (p *plan) revokesByID() bool { return p.revoke != nil && p.revoke.asks("secret_id") }
