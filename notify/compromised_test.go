package notify_test

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// Revoking a secret revokes no token: the mail says so, and what else is left for a person.
func TestACompromiseListsWhatIsLeftToDo(t *testing.T) {
	for kind, listed := range map[credential.CauseKind]bool{credential.CauseCompromised: true, credential.CauseRequested: false} {
		n := rotated("billing")
		n.Facts.Cause = credential.Cause{Kind: kind, Actor: "anna", Reason: "it stood in a log"}
		m, _ := render(t, renderer(t), n, notify.Recipient{})
		for _, page := range []string{m.Text, m.HTML} {
			words := strings.Join(strings.Fields(page), " ")
			if got := strings.Contains(words, "Tokens that were fetched with it live on until they expire."); got != listed {
				t.Errorf("%s: what is left to do is listed: %t", kind, got)
			}
			if got := strings.Contains(words, "Monitor the grace period"); got == listed {
				t.Errorf("%s: a grace period is promised: %t", kind, got)
			}
		}
	}
}
