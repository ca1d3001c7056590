package rollout

import (
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// ReadAnswer says whether an answer is a Deployment, and what is missing until it has been rolled out.
func ReadAnswer(text, namespace, name string, o credential.Occasion) (found, marked bool, missing, err error) {
	var w workload
	if err = httpapi.Unmarshal(credential.NewSensitive(text), &w); err != nil || !w.is(kindOf("deployment"), namespace, name) {
		return false, false, nil, err
	}
	return true, w.marked(o), w.unfinished(), w.restartable()
}
