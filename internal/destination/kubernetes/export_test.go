package kubernetes

import (
	"github.com/rotad/rotad/internal/apiserver"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// ReadAnswer says whether an answer is a Secret, or says that there is none, and what is against changing it.
func ReadAnswer(text, namespace, name string) (found, absent bool, err error) {
	raw := credential.NewSensitive(text)
	var s secret
	absent = apiserver.SaysMissing(raw, resource, name)
	if err = httpapi.Unmarshal(raw, &s); err != nil || !s.is(namespace, name) {
		return false, absent, err
	}
	wanted{credential.Keys{Gone: []string{"x"}}}.in(&s)
	return true, absent, s.changeable()
}
