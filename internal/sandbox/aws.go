package sandbox

import (
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Paths of a stand-in for AWS below the address that its Handler is served at: the root of each service.
const (
	PathIAM = "/iam/"
	PathSTS = "/sts/"
)

// AWS is a stand-in for IAM and STS, written from their API references: access keys of users, two for each, and signatures
// (Signature Version 4), which it recomputes, so it keeps clear values. It is safe for concurrent use.
type AWS struct {
	now  func() time.Time
	made func(string)

	mu    sync.Mutex
	users map[string]*awsUser
}

type awsUser struct {
	name   string
	path   string // with a slash at both ends
	admin  bool
	rights []awsRight
	keys   []*awsKey
	made   int
}

// awsAccount is what the ARN of everything in the account begins with.
const awsAccount = "arn:aws:iam::123456789012:"

func (u *awsUser) arn() string { return awsAccount + "user" + u.path + u.name }

type awsKey struct {
	id, secret string
	start      time.Time
	used       time.Time // zero = never
	off        bool
}

// NewAWS returns an account without users. now is its clock, and made is told of every secret that is made; nil = nobody.
func NewAWS(now func() time.Time, made func(string)) *AWS {
	return &AWS{now: now, made: made, users: map[string]*awsUser{}}
}

// awsPerUser is how many keys a user may have.
const awsPerUser = 2

// Register adds a user with one key, and returns that. An admin may do everything, others only ask who they are. ErrDuplicate:
// the name is taken.
func (a *AWS) Register(name string, admin bool) (id, secret string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users[name] != nil {
		return "", "", fmt.Errorf("registering %q: %w", name, ErrDuplicate)
	}
	u := &awsUser{name: name, path: "/", admin: admin}
	a.users[name] = u
	k := a.add(u)
	u.made = 0
	return k.id, k.secret, nil
}

func (a *AWS) add(u *awsUser) *awsKey {
	k := &awsKey{id: "AKIA" + rand.Text()[:16], secret: told(a.made, rand.Text()+"+/"+rand.Text()[:12]), start: a.now().UTC().Truncate(time.Second)}
	u.keys = append(u.keys, k)
	u.made++
	return k
}

// Made returns how many keys a user was given since it was registered.
func (a *AWS) Made(name string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if u := a.users[name]; u != nil {
		return u.made
	}
	return 0
}

// Accepts says whether a request that is signed with this key would be let in now.
func (a *AWS) Accepts(id, secret string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, k := a.find(id)
	return k != nil && !k.off && k.secret == secret
}

// SwitchOff does what UpdateAccessKey with Inactive does.
func (a *AWS) SwitchOff(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, k := a.find(id); k != nil {
		k.off = true
	}
}

func (a *AWS) find(id string) (*awsUser, *awsKey) {
	for _, u := range a.users {
		if i := slices.IndexFunc(u.keys, func(k *awsKey) bool { return k.id == id }); i >= 0 {
			return u, u.keys[i]
		}
	}
	return nil, nil
}

// Handler serves both services.
func (a *AWS) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathIAM+"{$}", a.signed("iam", a.iam))
	mux.HandleFunc("POST "+PathSTS+"{$}", a.signed("sts", a.sts))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", a.now().UTC().Format(http.TimeFormat))
		w.Header().Set("X-Amzn-Requestid", "request-"+rand.Text()[:8])
		a.mu.Lock()
		defer a.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

// signed lets requests through that an active key has signed.
func (a *AWS) signed(service string, next func(http.ResponseWriter, *awsUser, url.Values)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
		if err != nil {
			awsRefuse(w, http.StatusBadRequest, "MalformedInput", "the body cannot be read")
			return
		}
		s, ok := parseSignature(r)
		if !ok || s.service != service {
			awsRefuse(w, http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
			return
		}
		u, k := a.find(s.key)
		form, err := url.ParseQuery(string(body))
		switch code, message := a.check(s, k, r, body); {
		case code != "":
			awsRefuse(w, http.StatusForbidden, code, message)
		case err != nil:
			awsRefuse(w, http.StatusBadRequest, "MalformedInput", "the body is no form")
		default:
			k.used = a.now().UTC().Truncate(time.Second)
			next(w, u, form)
		}
	}
}

// awsSkew is how far a signature's time may be from the server's.
const awsSkew = 15 * time.Minute

func (a *AWS) check(s signature, k *awsKey, r *http.Request, body []byte) (code, message string) {
	switch {
	case k == nil, k.off:
		return "InvalidClientTokenId", "The security token included in the request is invalid."
	case a.now().Sub(s.at).Abs() > awsSkew && s.at.Before(a.now()):
		return "SignatureDoesNotMatch", "Signature expired: " + s.at.String() + " is now earlier than " + a.now().Add(-awsSkew).String()
	case a.now().Sub(s.at).Abs() > awsSkew:
		return "SignatureDoesNotMatch", "Signature not yet current: " + s.at.String() + " is still later than " + a.now().Add(awsSkew).String()
	case !s.madeWith(k.secret, r, body):
		return "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."
	}
	return "", ""
}

// sts is GetCallerIdentity, which needs no right.
func (a *AWS) sts(w http.ResponseWriter, u *awsUser, form url.Values) {
	if form.Get("Action") != "GetCallerIdentity" {
		awsRefuse(w, http.StatusBadRequest, "InvalidAction", "Could not find operation")
		return
	}
	type result struct{ UserID, Account, Arn string }
	awsAnswer(w, "GetCallerIdentity", struct {
		Result result `xml:"GetCallerIdentityResult"`
	}{result{"AIDA" + strings.ToUpper(u.name), "123456789012", u.arn()}})
}

// iam are the actions for access keys.
func (a *AWS) iam(w http.ResponseWriter, u *awsUser, form url.Values) {
	action, id := form.Get("Action"), form.Get("AccessKeyId")
	user := a.users[form.Get("UserName")]
	switch {
	case !u.may("iam:"+action, user):
		awsRefuse(w, http.StatusForbidden, "AccessDenied", "User: "+u.name+" is not authorized to perform: iam:"+action)
	case action == "GetAccessKeyLastUsed":
		a.lastUsed(w, id)
	case action == "ListUsers":
		a.listUsers(w, form)
	case action == "SimulatePrincipalPolicy":
		a.simulate(w, form)
	case user == nil:
		awsRefuse(w, http.StatusNotFound, "NoSuchEntity", "The user with name "+form.Get("UserName")+" cannot be found.")
	case action == "GetUser":
		awsAnswer(w, action, struct {
			User awsUserEntry `xml:"GetUserResult>User"`
		}{user.shown()})
	case action == "ListAccessKeys":
		user.list(w)
	case action == "CreateAccessKey" && len(user.keys) >= awsPerUser:
		awsRefuse(w, http.StatusConflict, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	case action == "CreateAccessKey":
		a.create(w, user)
	case action == "DeleteAccessKey":
		user.remove(w, id)
	default:
		awsRefuse(w, http.StatusBadRequest, "InvalidAction", "Could not find operation "+action)
	}
}

type awsEntry struct {
	UserName        string
	AccessKeyID     string `xml:"AccessKeyId"`
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      string
}

func (u *awsUser) entry(k *awsKey) awsEntry {
	status := "Active"
	if k.off {
		status = "Inactive"
	}
	return awsEntry{UserName: u.name, AccessKeyID: k.id, Status: status, CreateDate: k.start.Format(time.RFC3339)}
}

func (a *AWS) create(w http.ResponseWriter, u *awsUser) {
	k := a.add(u)
	entry := u.entry(k)
	entry.SecretAccessKey = k.secret
	awsAnswer(w, "CreateAccessKey", struct {
		Key awsEntry `xml:"CreateAccessKeyResult>AccessKey"`
	}{entry})
}

func (u *awsUser) list(w http.ResponseWriter) {
	var entries []awsEntry
	for _, k := range u.keys {
		entries = append(entries, u.entry(k))
	}
	awsAnswer(w, "ListAccessKeys", struct {
		Entries []awsEntry `xml:"ListAccessKeysResult>AccessKeyMetadata>member"`
		More    bool       `xml:"ListAccessKeysResult>IsTruncated"`
	}{entries, false})
}

func (u *awsUser) remove(w http.ResponseWriter, id string) {
	i := slices.IndexFunc(u.keys, func(k *awsKey) bool { return k.id == id })
	if i < 0 {
		awsRefuse(w, http.StatusNotFound, "NoSuchEntity", "The Access Key with id "+id+" cannot be found.")
		return
	}
	u.keys = slices.Delete(u.keys, i, i+1)
	awsAnswer(w, "DeleteAccessKey", struct{}{})
}

// lastUsed answers with N/A for what was never used: a date is then missing.
func (a *AWS) lastUsed(w http.ResponseWriter, id string) {
	u, k := a.find(id)
	if k == nil {
		awsRefuse(w, http.StatusForbidden, "AccessDenied", "the key is not one of this account")
		return
	}
	type use struct {
		LastUsedDate        string `xml:",omitempty"`
		ServiceName, Region string
	}
	used := use{ServiceName: "N/A", Region: "N/A"}
	if !k.used.IsZero() {
		used = use{LastUsedDate: k.used.Format(time.RFC3339), ServiceName: "sts", Region: "us-east-1"}
	}
	awsAnswer(w, "GetAccessKeyLastUsed", struct {
		UserName string `xml:"GetAccessKeyLastUsedResult>UserName"`
		Use      use    `xml:"GetAccessKeyLastUsedResult>AccessKeyLastUsed"`
	}{u.name, used})
}

// awsAnswer writes what an action answers, in the form of the Query protocol.
func awsAnswer(w http.ResponseWriter, action string, body any) {
	w.Header().Set("Content-Type", "text/xml")
	_ = xml.NewEncoder(w).EncodeElement(body, xml.StartElement{Name: xml.Name{Local: action + "Response"}})
}

func awsRefuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	type failure struct{ Type, Code, Message string }
	_ = xml.NewEncoder(w).EncodeElement(struct{ Error failure }{failure{"Sender", code, message}}, xml.StartElement{Name: xml.Name{Local: "ErrorResponse"}})
}
