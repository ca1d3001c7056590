package gcp

import (
	"strings"

	"github.com/rotad/rotad/providers/httpapi"
)

// Verdict is what Google's token endpoint finds wrong with an assertion.
type Verdict int

// The verdicts. VerdictNone is the zero value: words that are not known, which prove nothing about a key.
const (
	VerdictNone      Verdict = iota
	VerdictSignature         // the key is not one of this service account: never was, was deleted or disabled, or has expired
	VerdictTime              // the times in it are not now: a clock is wrong
	VerdictAccount           // there is no such service account, or it is disabled: nothing is said about the key
)

// ReadVerdict reads error and error_description of an answer. Google gives many reasons the code invalid_grant, so its words have to
// be compared; they are never printed.
func ReadVerdict(code, description string) Verdict {
	words := strings.ToLower(description)
	switch {
	case code == "invalid_grant" && strings.HasPrefix(words, "invalid jwt signature"):
		return VerdictSignature
	case code == "invalid_grant" && strings.HasPrefix(words, "invalid jwt: token must be"):
		return VerdictTime
	case code == "disabled_client", code == "deleted_client":
		return VerdictAccount
	case code == "invalid_grant" && strings.Contains(words, "account"):
		return VerdictAccount
	}
	return VerdictNone
}

func oauthError(resp *httpapi.Response) (code, description string) {
	var form struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if httpapi.Unmarshal(resp.Raw(), &form) != nil {
		return "", ""
	}
	return form.Error, form.Description
}
