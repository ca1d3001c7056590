package notify_test

import (
	"html"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

func TestWhoOnlyWatchesSaysHowToReplaceTheSecretByHand(t *testing.T) {
	n := rotated("billing")
	n.Facts.Observed, n.Facts.VaultPath.Fields = true, map[string]string{credential.FieldClientSecret: "OIDC_SECRET"}
	other := n
	other.Facts.Provider = "roles"
	r := renderer(t, func(s *notify.Sender) { s.Fields = map[string]string{"roles": "secret_id"} })
	for _, kind := range []credential.NoticeKind{credential.NoticeWarning, credential.NoticeFinal, credential.NoticeExpired} {
		for _, mode := range []credential.Mode{
			credential.ModeUnknown, credential.ModeTwoSlot, credential.ModeCaller, credential.ModeGraceWindow, credential.ModeHardCutover, credential.ModeManual,
		} {
			for field, n := range map[string]credential.Notice{"OIDC_SECRET": n, "secret_id": other} {
				n.Kind, n.Facts.Mode = kind, mode
				m, _ := render(t, r, n, notify.Recipient{})
				for _, page := range []string{m.Text, html.UnescapeString(inOnePiece(m.HTML))} {
					if strings.Contains(page, "rotad rotate") {
						t.Errorf("%s, %s: a client that is only watched is offered a rotation", kind, mode)
					}
					for _, part := range []string{"vault kv patch", " " + field + "=-", "rotad resume billing --accept-vault", "start: observe"} {
						if !strings.Contains(page, part) {
							t.Errorf("%s, %s: the mail does not say %q:\n%s", kind, mode, part, page)
						}
					}
				}
			}
		}
	}
}

// inOnePiece puts the words of commands together again, which stand in boxes of their own.
func inOnePiece(page string) string {
	return strings.NewReplacer(`<span style="display:inline-block;">`, "", "</span>", "").Replace(page)
}
