package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// awsRight is one statement of a policy: an action on what an ARN begins with.
type awsRight struct{ action, on string }

// Grant lets a user that is no admin take actions on the users under a path; "" is every resource.
func (a *AWS) Grant(name, path string, actions ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	on := ""
	if path != "" {
		on = awsAccount + "user" + path
	}
	for _, action := range actions {
		a.users[name].rights = append(a.users[name].rights, awsRight{action, on})
	}
}

// Move puts a user under a path, with a slash at both ends.
func (a *AWS) Move(name, path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users[name].path = path
}

// may says whether a user may take an action on another one; nil = on everything.
func (u *awsUser) may(action string, on *awsUser) bool {
	if on == nil {
		return u.allows(action, "*")
	}
	return u.allows(action, on.arn())
}

func (u *awsUser) allows(action, resource string) bool {
	return u.admin || slices.ContainsFunc(u.rights, func(r awsRight) bool { return r.action == action && strings.HasPrefix(resource, r.on) })
}

type awsUserEntry struct {
	Path, UserName string
	UserID         string `xml:"UserId"`
	Arn            string
	CreateDate     string
}

// shown is a user as IAM shows it. The account was made with it, on the first day of 2026.
func (u *awsUser) shown() awsUserEntry {
	return awsUserEntry{u.path, u.name, "AIDA" + strings.ToUpper(u.name), u.arn(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)}
}

// listUsers shows a page of users. Its marker is the name that the next page begins with.
func (a *AWS) listUsers(w http.ResponseWriter, form url.Values) {
	names, marker := slices.Sorted(maps.Keys(a.users)), form.Get("Marker")
	from, known := slices.BinarySearch(names, marker)
	size, err := strconv.Atoi(form.Get("MaxItems"))
	if err != nil || size < 1 || marker != "" && !known {
		awsRefuse(w, http.StatusBadRequest, "ValidationError", "Invalid Marker.")
		return
	}
	var page struct {
		Users  []awsUserEntry `xml:"ListUsersResult>Users>member"`
		More   bool           `xml:"ListUsersResult>IsTruncated"`
		Marker string         `xml:"ListUsersResult>Marker,omitempty"`
	}
	for _, name := range names[from:min(from+size, len(names))] {
		page.Users = append(page.Users, a.users[name].shown())
	}
	if from+size < len(names) {
		page.More, page.Marker = true, names[from+size]
	}
	awsAnswer(w, "ListUsers", page)
}

// simulate says which of some actions a user may take on a resource.
func (a *AWS) simulate(w http.ResponseWriter, form url.Values) {
	type result struct{ EvalActionName, EvalResourceName, EvalDecision string }
	var told struct {
		Results []result `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
		More    bool     `xml:"SimulatePrincipalPolicyResult>IsTruncated"`
	}
	arn, resource := form.Get("PolicySourceArn"), form.Get("ResourceArns.member.1")
	for _, u := range a.users {
		if u.arn() != arn {
			continue
		}
		for i := 1; form.Has(fmt.Sprintf("ActionNames.member.%d", i)); i++ {
			action, decision := form.Get(fmt.Sprintf("ActionNames.member.%d", i)), "implicitDeny"
			if u.allows(action, resource) {
				decision = "allowed"
			}
			told.Results = append(told.Results, result{action, resource, decision})
		}
		awsAnswer(w, "SimulatePrincipalPolicy", told)
		return
	}
	awsRefuse(w, http.StatusNotFound, "NoSuchEntity", "Entity "+arn+" not found.")
}
