package kubernetes

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/rotad/rotad/internal/apiserver"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// errOvertaken says that the Secret was there, and is gone.
var errOvertaken = errors.New("it was deleted at the same moment")

// explained adds to a refusal what it means and what to do.
func (a api) explained(verb string, resp *httpapi.Response, err error) error {
	if resp == nil {
		return err
	}
	class := providers.ClassOf(err)
	switch resp.Status {
	case http.StatusForbidden:
		return resp.Failed(class, a.forbidden(verb))
	case http.StatusNotFound:
		return a.notFound(verb, resp)
	case http.StatusRequestEntityTooLarge:
		return resp.Failed(class, errors.New("the Secret would be larger than Kubernetes keeps"))
	case http.StatusUnprocessableEntity:
		return resp.Failed(class, errors.New("such a Secret is invalid: its type may ask for keys that it does not have, "+
			"it may be larger than 1 MiB, or somebody has just made it immutable"))
	default:
		return err
	}
}

func (a api) forbidden(verb string) error {
	to := fmt.Sprintf("to %s the Secret %s in the namespace %s", verb, a.name, a.namespace)
	if verb == apiserver.VerbCreate {
		to = fmt.Sprintf("to create Secrets in the namespace %s; or make %s yourself and write create: false", a.namespace, a.name)
	}
	return fmt.Errorf("%s lacks the right %s; deploy/kubernetes/destination.yaml has a Role (if it has the right, a quota or an "+
		"admission policy refuses)", a.Who, to)
}

func (a api) notFound(verb string, resp *httpapi.Response) error {
	switch {
	case verb == apiserver.VerbPatch && apiserver.Missing(resp, resource, a.name):
		return errOvertaken
	case verb == apiserver.VerbCreate:
		return resp.Failed(providers.ClassNotFound, fmt.Errorf("there is no namespace %s", a.namespace))
	default:
		return resp.Failed(providers.ClassUnavailable, errors.New("this is no answer of Kubernetes: is the server the right one?"))
	}
}
