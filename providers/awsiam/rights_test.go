package awsiam_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers"
)

// as opens the adapter with the key of a user of its own, who may do what is granted.
func (a *account) as(t *testing.T, name string, grant func()) providers.RightsReader {
	t.Helper()
	id, secret, err := a.Register(name, false)
	if err != nil {
		t.Fatal(err)
	}
	grant()
	p := a.open(t, fmt.Sprintf("aws_access_key_id = %s\naws_secret_access_key = %s\n", id, secret), nil)
	r, ok := providers.AsRightsReader(p)
	if !ok {
		t.Fatal("aws-iam cannot read rights")
	}
	return r
}

// told writes the rights that a person has to act on.
func told(rights []providers.Right) string {
	var b strings.Builder
	for _, r := range rights {
		switch {
		case r.Missing():
			fmt.Fprintf(&b, "missing %s %s|", r.Name, r.Client)
		case r.TooWide():
			fmt.Fprintf(&b, "wide %s|", r.Name)
		}
	}
	return b.String()
}

func TestRights(t *testing.T) {
	const ask, where = "iam:SimulatePrincipalPolicy", "iam:GetUser"
	all := []string{"iam:ListAccessKeys", "iam:CreateAccessKey", "iam:DeleteAccessKey"}
	for name, test := range map[string]struct {
		grant func(a *account)
		want  string
		class providers.Class
	}{
		"exactly what is needed": {func(a *account) { a.Grant("narrow", "/rotated/", all...) }, "", ""},
		"only looking": {
			func(a *account) { a.Grant("narrow", "/rotated/", "iam:ListAccessKeys") }, "missing iam:CreateAccessKey id-of-billing|missing iam:DeleteAccessKey id-of-billing|", "",
		},
		"another path": {
			func(a *account) { a.Grant("narrow", "/other/", all...) },
			"missing iam:ListAccessKeys id-of-billing|missing iam:CreateAccessKey id-of-billing|missing iam:DeleteAccessKey id-of-billing|", "",
		},
		"every user, and more": {
			func(a *account) { a.Grant("narrow", "", append(all, "iam:PassRole", "s3:GetObject")...) },
			"wide iam:PassRole, s3:GetObject|wide iam:CreateAccessKey on every user|", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			a.Move("billing", "/rotated/")
			r := a.as(t, "narrow", func() { a.Grant("narrow", "", ask, where); test.grant(a) })
			rights, err := r.Rights(t.Context(), []providers.Target{target("billing"), target("nobody")})
			if got := told(rights); got != test.want || providers.ClassOf(err) != test.class {
				t.Errorf("%s, want %s (%v)", got, test.want, err)
			}
			for _, one := range rights {
				if one.Missing() && !strings.Contains(one.Change, "put-user-policy --user-name narrow --policy-name rotad-billing") {
					t.Errorf("the command is another one: %s", one.Change)
				}
			}
		})
	}
}

// What IAM does not tell is not guessed.
func TestRightsThatNobodyTells(t *testing.T) {
	a := newAccount(t)
	r := a.as(t, "blind", func() {})
	if rights, err := r.Rights(t.Context(), []providers.Target{target("billing")}); len(rights) > 0 || providers.ClassOf(err) != providers.ClassUnsupported || !strings.Contains(err.Error(), "SimulatePrincipalPolicy") {
		t.Errorf("%v, %v", rights, err)
	}
	r = a.as(t, "halfblind", func() { a.Grant("halfblind", "", "iam:SimulatePrincipalPolicy") })
	if rights, err := r.Rights(t.Context(), []providers.Target{target("billing")}); len(rights) > 0 || providers.ClassOf(err) != providers.ClassUnsupported || !strings.Contains(err.Error(), "iam:GetUser") {
		t.Errorf("%v, %v", rights, err)
	}
	for arn, want := range map[string]string{
		"arn:aws:iam::1:root": "wide root|", "arn:aws:sts::1:federated-user/x": "", "nonsense": "",
	} {
		identity := `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>` + arn + `</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
		reader, _ := providers.AsRightsReader(a.open(t, a.own, choosing{"GetCallerIdentity", answers{http.StatusOK, identity}}))
		if rights, err := reader.Rights(t.Context(), nil); told(rights) != want || providers.ClassOf(err) != providers.ClassUnsupported {
			t.Errorf("%s: %s, %v", arn, told(rights), err)
		}
	}
}

// A role is asked for by the name that policies give it, and granted to as a role.
func TestARoleHasRightsAsWell(t *testing.T) {
	a := newAccount(t)
	identity := `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/rotad/session</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
	denied := `<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>`
	for _, action := range []string{"iam:ListAccessKeys", "iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:CreateUser", "iam:CreateLoginProfile", "iam:PassRole", "sts:AssumeRole", "s3:GetObject", "secretsmanager:GetSecretValue", "ec2:RunInstances"} {
		denied += `<member><EvalActionName>` + action + `</EvalActionName><EvalDecision>implicitDeny</EvalDecision></member>`
	}
	denied += `</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`
	p := a.open(t, a.own, roundTrip(func(r *http.Request) (*http.Response, error) {
		switch {
		case asks(r, "GetCallerIdentity"):
			return answers{http.StatusOK, identity}.RoundTrip(r)
		case asks(r, "SimulatePrincipalPolicy"):
			if !asksAbout(r, "PolicySourceArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Frotad") {
				t.Error("another role is asked for")
			}
			return answers{http.StatusOK, denied}.RoundTrip(r)
		}
		return http.DefaultTransport.RoundTrip(r)
	}))
	reader, _ := providers.AsRightsReader(p)
	rights, err := reader.Rights(t.Context(), []providers.Target{target("billing")})
	if err != nil || len(rights) != 3 || !rights[0].Missing() || !strings.HasPrefix(rights[0].Change, "aws iam put-role-policy --role-name rotad ") {
		t.Errorf("%+v, %v", rights, err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What tells rights is read whole, or refused: a right that is not spoken of is not taken for one that is missing.
func FuzzSimulated(f *testing.F) {
	for _, body := range []string{`<SimulatePrincipalPolicyResponse/>`, `<html>` + mark, ``, `<ErrorResponse><Error><Code>` + mark + `</Code></Error></ErrorResponse>`} {
		f.Add(body)
	}
	a := newAccount(f)
	f.Fuzz(func(t *testing.T, body string) {
		reader, _ := providers.AsRightsReader(a.open(t, a.own, choosing{"SimulatePrincipalPolicy", answers{http.StatusOK, body}}))
		rights, err := reader.Rights(t.Context(), []providers.Target{target("billing")})
		if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)) {
			t.Errorf("%v", err)
		}
		if err == nil && !strings.Contains(body, "EvalActionName") {
			t.Errorf("%+v", rights)
		}
	})
}
