package awsiam

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/rotad/rotad/providers"
)

// Actions that rotad sends for a user.
const (
	actionList   = "iam:ListAccessKeys"
	actionCreate = "iam:CreateAccessKey"
	actionDelete = "iam:DeleteAccessKey"
	actionUse    = "iam:GetAccessKeyLastUsed"
)

// spareActions are some that rotad never sends, and that lead to every other right or to what others keep.
var spareActions = []string{
	"iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:CreateUser", "iam:CreateLoginProfile", "iam:PassRole", "sts:AssumeRole", "s3:GetObject",
	"secretsmanager:GetSecretValue", "ec2:RunInstances",
}

var (
	errSimulate = errors.New("AWS does not tell this account what it may do: that takes iam:SimulatePrincipalPolicy for itself")
	errWhere    = errors.New("rotad may not see under which path the user lies (iam:GetUser), so its rights there are not known")
	errRoot     = errors.New("no policy bounds the root of an account, so AWS tells nothing of its rights")
)

// account is rotad's own user or role.
type account struct {
	arn  string // as policies name it
	sort string // user or role
	name string
	base string // arn:aws:iam::123456789012:
}

// accountOf reads who rotad is from its ARN. A role that was assumed is named without its path by AWS, and is looked for there.
func accountOf(arn string) (account, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return account{}, false
	}
	a := account{base: "arn:" + parts[1] + ":iam::" + parts[4] + ":"}
	steps := strings.Split(parts[5], "/")
	switch {
	case steps[0] == "user" && len(steps) > 1:
		a.sort, a.name, a.arn = "user", steps[len(steps)-1], arn
	case steps[0] == "assumed-role" && len(steps) > 1:
		a.sort, a.name, a.arn = "role", steps[1], a.base+"role/"+steps[1]
	default:
		return account{}, false
	}
	return a, true
}

// grant is the command that gives the account what rotad sends for one user, and takes nothing away.
func (a account) grant(user, arn string) string {
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["%s"],"Resource":"%s"}]}`
	actions := strings.Join([]string{actionList, actionCreate, actionDelete, actionUse}, `","`)
	return fmt.Sprintf("aws iam put-%s-policy --%s-name %s --policy-name rotad-%s --policy-document '"+policy+"'", a.sort, a.sort, a.name, user, actions, arn)
}

// Rights implements providers.RightsReader. IAM evaluates rotad's policies, boundaries among them, and carries nothing out.
func (p *provider) Rights(ctx context.Context, clients []providers.Target) ([]providers.Right, error) {
	arn, err := p.api.whoAmI(ctx, "rights")
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(arn, ":root") {
		return []providers.Right{{
			Name: "root", Held: true, Why: "it may do everything in the account, and nothing bounds it",
			Change: "make a user or a role for rotad alone (providers/awsiam/README.md has the policy), and delete the access keys of the root",
		}}, p.api.fault("rights", providers.ClassUnsupported, errRoot)
	}
	own, ok := accountOf(arn)
	if !ok {
		return nil, p.api.fault("rights", providers.ClassUnsupported, errSimulate)
	}
	rights, err := p.surplus(ctx, own)
	if err != nil {
		return nil, err
	}
	for _, t := range clients {
		of, failed := p.rightsOf(ctx, own, t)
		if failed != nil {
			err = failed
			continue
		}
		rights = append(rights, of...)
	}
	return rights, err
}

// surplus returns what rotad never uses: other actions, and its own on users that nobody has named.
func (p *provider) surplus(ctx context.Context, own account) (rights []providers.Right, err error) {
	held, err := p.api.simulate(ctx, own, "*", spareActions...)
	if err != nil {
		return nil, err
	}
	var wide []string
	for _, action := range spareActions {
		if held[action] {
			wide = append(wide, action)
		}
	}
	if len(wide) > 0 {
		rights = append(rights, providers.Right{
			Name: strings.Join(wide, ", "), Held: true, Why: "rotad never uses it",
			Change: fmt.Sprintf("aws iam list-attached-%s-policies --%s-name %s, and list-%s-policies: take away what grants it", own.sort, own.sort, own.name, own.sort),
		})
	}
	everywhere := own.base + "user/" + nobody
	if held, err = p.api.simulate(ctx, own, everywhere, actionCreate); err != nil {
		return nil, err
	}
	if held[actionCreate] {
		rights = append(rights, providers.Right{
			Name: actionCreate + " on every user", Held: true, Why: "it makes keys for administrators as well, and can log in as each of them",
			Change: "name the users in the policy's Resource, or a path that they lie under: " + own.base + "user/rotated/*",
		})
	}
	return rights, nil
}

// rightsOf returns what rotad needs for one user.
func (p *provider) rightsOf(ctx context.Context, own account, t providers.Target) ([]providers.Right, error) {
	name := t.Ref[refUser]
	arn, err := p.api.arnOf(ctx, name)
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound:
		return nil, nil // the look at this client says so
	case providers.ClassOf(err) == providers.ClassAuth:
		return nil, p.api.fault("rights", providers.ClassUnsupported, errWhere)
	case err != nil:
		return nil, err
	}
	held, err := p.api.simulate(ctx, own, arn, actionList, actionCreate, actionDelete)
	if err != nil {
		return nil, err
	}
	right := func(action string, need providers.Need, why string) providers.Right {
		return providers.Right{Name: action, Client: t.Client, Need: need, Held: held[action], Why: why, Change: own.grant(name, arn)}
	}
	return []providers.Right{
		right(actionList, providers.NeedLook, "to see the keys of the user"),
		right(actionCreate, providers.NeedRotate, "to make the new key"),
		right(actionDelete, providers.NeedRotate, "to end the old key"),
	}, nil
}

// arnOf asks where a user lies.
func (a api) arnOf(ctx context.Context, name string) (string, error) {
	if name == "" {
		return "", a.fault("rights", providers.ClassNotFound, errNoUser) // IAM takes none for rotad's own
	}
	var shown struct {
		XMLName xml.Name `xml:"GetUserResponse"`
		User    user     `xml:"GetUserResult>User"`
	}
	resp, err := a.ask(ctx, "rights", "GetUser", url.Values{"UserName": {name}}, false)
	if err != nil {
		return "", err
	}
	if err = read(resp, &shown); err == nil && shown.User.ARN == "" {
		err = resp.Missing("Arn")
	}
	return shown.User.ARN, err
}

// simulate asks which of some actions the account may take on a resource. There are few, so one page has them all.
func (a api) simulate(ctx context.Context, own account, resource string, actions ...string) (map[string]bool, error) {
	about := url.Values{"PolicySourceArn": {own.arn}, "ResourceArns.member.1": {resource}}
	for i, action := range actions {
		about.Set(fmt.Sprintf("ActionNames.member.%d", i+1), action)
	}
	resp, err := a.ask(ctx, "rights", "SimulatePrincipalPolicy", about, false)
	switch providers.ClassOf(err) {
	case "":
	case providers.ClassAuth, providers.ClassNotFound: // not found: a role under a path
		return nil, resp.Failed(providers.ClassUnsupported, errSimulate)
	default:
		return nil, err
	}
	var told struct {
		XMLName xml.Name `xml:"SimulatePrincipalPolicyResponse"`
		Results []struct {
			Action   string `xml:"EvalActionName"`
			Decision string `xml:"EvalDecision"`
		} `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	}
	if err = read(resp, &told); err != nil {
		return nil, err
	}
	held := map[string]bool{}
	for _, one := range told.Results {
		held[one.Action] = one.Decision == "allowed"
	}
	for _, action := range actions {
		if _, ok := held[action]; !ok {
			return nil, resp.Missing("EvaluationResults")
		}
	}
	return held, nil
}
