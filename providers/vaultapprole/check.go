package vaultapprole

import (
	"context"
	"net/http"
	"slices"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Check implements providers.Checker: it logs in and looks at rotad's own token. What the token may do to a role shows
// when that role is first inspected.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	var token struct {
		Data struct {
			Policies []string `json:"policies"`
		} `json:"data"`
	}
	_, err := p.api.http.Into(ctx, httpapi.Request{
		Operation: "check", Method: http.MethodGet, Path: httpapi.Path("auth", "token", "lookup-self"),
	}, &token)
	switch providers.ClassOf(err) {
	case "":
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, What: "looking at rotad's own token: " + err.Error(),
			Hint: "Renew the token or the SecretID that rotad logs in with, and keep the policy default on its role.",
		}}
	default:
		return []providers.Finding{{
			Problem: true, What: "looking at rotad's own token: " + err.Error(),
			Hint: "Check address, namespace and mount, and that the server is unsealed and can be reached from here.",
		}}
	}
	if slices.Contains(token.Data.Policies, "root") {
		return []providers.Finding{{
			What: "rotad's own token has the policy root.", Hint: "Give it the least policy of this kind's README.",
		}}
	}
	return nil
}
