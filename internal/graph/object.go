package graph

import (
	"errors"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// Fields of a client's ref: one of them.
const (
	RefApp    = "app_id"
	RefObject = "object_id"
)

var (
	errRef   = errors.New("the client's ref needs either app_id or object_id")
	errRefID = errors.New("the client's ref is no id of Entra")
)

// Object is the path of the application that a ref names.
func Object(ref credential.Ref) (string, error) {
	app, object := ref[RefApp], ref[RefObject]
	switch {
	case (app == "") == (object == ""):
		return "", errRef
	case !plainID(app + object):
		return "", errRefID
	case app != "":
		return "/applications(appId='" + app + "')", nil
	}
	return httpapi.Path("applications", object), nil
}

// plainID says whether an id has only the characters of a GUID or a name, so that it needs no quoting anywhere.
func plainID(s string) bool {
	for _, r := range s {
		if r != '-' && r != '_' && ('0' > r || r > '9') && ('a' > r || r > 'z') && ('A' > r || r > 'Z') {
			return false
		}
	}
	return true
}
