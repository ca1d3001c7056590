package scenarios_test

import (
	"fmt"

	"github.com/rotad/rotad/test/servers"
)

// anyMail is nil when one of the mails to an address is as wanted.
func anyMail(p *servers.Postfix, to string, wanted func(servers.Mail) bool) error {
	mails, err := p.Mails(to)
	if err != nil {
		return err
	}
	var subjects []string
	for _, m := range mails {
		if wanted(m) {
			return nil
		}
		subjects = append(subjects, m.Subject)
	}
	return fmt.Errorf("%s has %d mails: %q", to, len(mails), subjects)
}
