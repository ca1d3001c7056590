package odc

import "strings"

// steps are what a person does in the portal, one line each; they stand in the mails. What the portal calls its buttons is
// the vendor's, and may change: the way to the page and the traps are what matters.
func (p *provider) steps(id string) string {
	if p.instructions != "" {
		return p.instructions
	}
	return strings.Join([]string{
		"Sign in to the ODC Portal (" + p.portal + ") with an account that may manage API clients.",
		"Open Manage, then API clients, and there the API client with the client id " + id + ".",
		"Make a new secret for it. Choose when it expires: 90 days is the default, two years the longest.",
		"Copy it at once, as it is shown: it is shown once. Do not URL-encode it; rotad does what is needed.",
		"Note the day on which it expires, and give it to rotad with the value: add --expires YYYY-MM-DD to the command below.",
	}, "\n")
}
