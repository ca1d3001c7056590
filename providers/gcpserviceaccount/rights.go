package gcpserviceaccount

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// permission is one that is asked for.
type permission struct {
	name string
	need providers.Need
	why  string
}

// permissions are those that rotad needs at a service account, and those that reach further (docs.cloud.google.com/iam/docs/roles-permissions/iam).
var permissions = []permission{
	{"iam.serviceAccountKeys.list", providers.NeedLook, "to list the keys"},
	{"iam.serviceAccountKeys.create", providers.NeedRotate, "to make a key"},
	{"iam.serviceAccountKeys.delete", providers.NeedRotate, "to end a key by its id"},
	{"iam.serviceAccounts.setIamPolicy", providers.NeedNone, "it can grant anybody any right at this service account"},
	{"iam.serviceAccounts.getAccessToken", providers.NeedNone, "it can act as this service account without a key"},
	{"iam.serviceAccounts.delete", providers.NeedNone, "it can delete the service account"},
}

var errNobody = errors.New("rights stand at service accounts, and no client names one that exists")

// Rights implements providers.RightsReader. Asking needs no right, and says of each permission whether it is held.
func (p *provider) Rights(ctx context.Context, clients []providers.Target) (rights []providers.Right, err error) {
	for _, t := range clients {
		held, err := p.api.held(ctx, t.Ref[refAccount])
		switch providers.ClassOf(err) {
		case "":
			rights = append(rights, rightsAt(t, held)...)
		case providers.ClassNotFound: // the look at this client says so
		default:
			return rights, err
		}
	}
	if len(rights) == 0 {
		return nil, p.api.account.Fault("rights", providers.ClassUnsupported, errNobody)
	}
	return rights, nil
}

func rightsAt(t providers.Target, held []string) (rights []providers.Right) {
	account := t.Ref[refAccount]
	for _, asked := range permissions {
		r := providers.Right{Name: asked.name, Client: t.Client, Need: asked.need, Why: asked.why, Held: slices.Contains(held, asked.name)}
		switch {
		case r.Need != providers.NeedNone:
			r.Change = "gcloud iam service-accounts add-iam-policy-binding " + account + " --member=serviceAccount:ROTAD --role=roles/iam.serviceAccountKeyAdmin"
		case !r.Held:
			continue
		default:
			r.Change = "grant roles/iam.serviceAccountKeyAdmin at " + account + " in place of the wider role: gcloud iam service-accounts get-iam-policy " + account + " shows it, or the policy of the project does"
		}
		rights = append(rights, r)
	}
	return rights
}

// held returns which of the permissions rotad's account has at a service account.
func (a api) held(ctx context.Context, account string) ([]string, error) {
	if account == "" {
		return nil, a.account.Fault("rights", providers.ClassNotFound, errNoAccount)
	}
	names := make([]string, len(permissions))
	for i, asked := range permissions {
		names[i] = asked.name
	}
	var body struct {
		Permissions []string `json:"permissions"`
	}
	_, err := a.account.Into(ctx, httpapi.Request{
		Operation: "rights", Method: http.MethodPost, Path: a.path(account) + ":testIamPermissions", JSON: map[string][]string{"permissions": names},
	}, &body)
	return body.Permissions, err
}
