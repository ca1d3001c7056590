package sandbox

import "net/http"

// Around calls before, does what is asked, and calls after with the status; only then the answer leaves. What after
// sees is therefore the world between a change and the first moment at which the caller can know of it.
func (f *Faults) Around(when When, before func(), after func(status int)) {
	f.add(when, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		before()
		done := perform(next, r)
		after(done.status)
		done.send(w)
	})
}
