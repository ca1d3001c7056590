package notify

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// sampleStopped are the words to the admins that nothing begins at a provider.
func sampleStopped(plain noticeMaker) []Sample {
	since := sampleNow().Add(-20 * time.Minute)
	stopped := func(milestone, why string) Sample {
		return Sample{Name: "stopped-" + milestone, Notice: plain(credential.NoticeStopped, milestone, func(n *credential.Notice) {
			n.Admins = true
			n.Facts = credential.Facts{Provider: n.Facts.Provider, Error: why, Since: since}
			if milestone == "urgent" {
				n.Facts.Expires = sampleNow().AddDate(0, 0, 2)
			}
		})}
	}
	return []Sample{
		stopped("wave", "unauthorized: corp-entra: create: auth (HTTP 403) Authorization_RequestDenied"),
		stopped("away", "12 calls in a row brought no answer"),
		stopped("urgent", "it begins before its turn"),
	}
}
