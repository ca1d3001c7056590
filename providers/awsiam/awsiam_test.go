package awsiam_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/awsiam"
)

func TestTwoKeysStandBesideEachOther(t *testing.T) {
	a := newAccount(t)
	p := a.open(t, a.own, nil)
	issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if issued.Bundle.Names() != issued.Secret.ID || issued.Secret.ID == "" || !issued.Secret.Never {
		t.Errorf("the bundle does not say which key it holds: %+v", issued.Secret)
	}
	seen, err := p.Inspect(t.Context(), target("billing"))
	if err != nil || len(seen.Secrets) != 2 || seen.Secrets[0].ID != issued.Secret.ID || seen.Caps.Slots != 2 || seen.Time.IsZero() {
		t.Fatalf("newest first: %+v, %v", seen, err)
	}
	if _, err = p.Create(t.Context(), target("billing"), providers.Request{}); providers.ClassOf(err) != providers.ClassQuota {
		t.Errorf("a third key: %v", err)
	}
}

func TestAUseIsSeen(t *testing.T) {
	a := newAccount(t)
	p := a.open(t, a.own, nil)
	before, err := p.Inspect(t.Context(), target("billing"))
	if err != nil || !before.Secrets[0].LastUse.IsZero() {
		t.Fatalf("it was never used: %+v, %v", before.Secrets, err)
	}
	if answer, err := p.Verify(t.Context(), target("billing"), a.first); answer != providers.Accepted {
		t.Fatal(answer, err)
	}
	after, err := p.Inspect(t.Context(), target("billing"))
	if err != nil || after.Secrets[0].LastUse.IsZero() {
		t.Errorf("it was used: %+v, %v", after.Secrets, err)
	}
}

// A key that was switched off proves nothing any more, and still takes its place.
func TestAKeyThatIsSwitchedOff(t *testing.T) {
	a := newAccount(t)
	p := a.open(t, a.own, nil)
	a.SwitchOff(a.first.Names())
	if answer, err := p.Verify(t.Context(), target("billing"), a.first); answer != providers.Refused {
		t.Error(answer, err)
	}
	if seen, err := p.Inspect(t.Context(), target("billing")); err != nil || len(seen.Secrets) != 1 {
		t.Errorf("%+v, %v", seen.Secrets, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	a := newAccount(t)
	weak := strings.ReplaceAll(strings.ReplaceAll(
		"aws_access_key_id=ID\naws_secret_access_key=SECRET", "ID", a.first.Names()), "SECRET", a.first[awsiam.FieldSecretAccessKey].Reveal())
	for name, test := range map[string]struct {
		user, own string
		r         providers.Request
		want      providers.Class
	}{
		"an unknown user":              {user: "nobody", own: a.own, want: providers.ClassNotFound},
		"no user, which means rotad":   {own: a.own, want: providers.ClassNotFound},
		"a key without the right":      {user: "billing", own: weak, want: providers.ClassAuth},
		"a key that AWS does not know": {user: "billing", own: strings.Replace(a.own, "AKIA", "AKIB", 1), want: providers.ClassAuth},
		"a wrong secret":               {user: "billing", own: strings.Replace(a.own, "+/", "++", 1), want: providers.ClassAuth},
		"no credentials":               {user: "billing", own: "[default]", want: providers.ClassAuth},
		"a value of rotad's own":       {user: "billing", own: a.own, r: providers.Request{Proposed: a.first}, want: providers.ClassUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.open(t, test.own, nil).Create(t.Context(), target(test.user), test.r)
			if got := providers.ClassOf(err); got != test.want || !providers.Definite(err) {
				t.Errorf("class %q, want %q (%v)", got, test.want, err)
			}
		})
	}
	if a.Made("billing") != 0 || a.Made("rotad") != 0 {
		t.Error("one of them was made all the same")
	}
}

// answers is AWS with one answer for everything.
type answers struct {
	status int
	body   string
}

// RoundTrip implements http.RoundTripper.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

func refusal(code, message string) string {
	return `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>` + code +
		`</Code><Message>` + message + `</Message></Error><RequestId>r</RequestId></ErrorResponse>`
}

func TestWhatAWSSays(t *testing.T) {
	a := newAccount(t)
	for name, test := range map[string]struct {
		status int
		body   string
		want   providers.Class
	}{
		"too many requests":            {400, refusal("Throttling", "Rate exceeded"), providers.ClassThrottled},
		"another change is under way":  {409, refusal("EntityTemporarilyUnmodifiable", ""), providers.ClassBusy},
		"the code of a full account":   {409, refusal("LimitExceeded", ""), providers.ClassQuota},
		"a right is missing":           {403, refusal("AccessDenied", ""), providers.ClassAuth},
		"this machine's clock is late": {403, refusal("SignatureDoesNotMatch", "Signature expired: 2026"), providers.ClassAuth},
		"an accident":                  {500, refusal("ServiceFailure", ""), providers.ClassIndeterminate},
		"a proxy that knows a code":    {503, refusal("LimitExceeded", ""), providers.ClassIndeterminate},
		"a list of one":                {409, "<ErrorResponse><Errors><Error><Code>LimitExceeded</Code></Error></Errors></ErrorResponse>", providers.ClassQuota},
		"a code that nobody knows":     {400, refusal("CANARY", "CANARY"), providers.ClassRejected},
		"no secret":                    {200, `<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><AccessKeyId>CANARY</AccessKeyId></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>`, providers.ClassNotUnderstood},
	} {
		issued, err := a.open(t, a.own, answers{test.status, test.body}).Create(t.Context(), target("billing"), providers.Request{})
		if got := providers.ClassOf(err); got != test.want || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %q, want %q (%v)", name, got, test.want, err)
		}
		if issued.Raw.Empty() == (test.want == providers.ClassNotUnderstood) {
			t.Errorf("%s: the reply is kept: %t", name, !issued.Raw.Empty())
		}
	}
}

// STS has one code for a wrong secret and for a wrong clock: the second must never make a good key look like a bad one.
func TestAWrongClockRefutesNoKey(t *testing.T) {
	a := newAccount(t)
	for name, test := range map[string]struct {
		code, message string
		want          providers.Answer
	}{
		"a wrong secret":       {"SignatureDoesNotMatch", "The request signature we calculated does not match", providers.Refused},
		"an unknown key":       {"InvalidClientTokenId", "The security token included in the request is invalid.", providers.Refused},
		"a clock that is late": {"SignatureDoesNotMatch", "Signature expired: 20260301T120000Z is now earlier than", providers.Unknown},
		"a clock that is fast": {"SignatureDoesNotMatch", "Signature not yet current: 20260301T120000Z is still later than", providers.Unknown},
		"something else":       {"AccessDenied", "", providers.Unknown},
	} {
		answer, err := a.open(t, a.own, answers{403, refusal(test.code, test.message)}).Verify(t.Context(), target("billing"), a.first)
		if answer != test.want || providers.ClassOf(err) == providers.ClassAuth || (err == nil) != (answer != providers.Unknown) {
			t.Errorf("%s: %s, %v", name, answer, err)
		}
	}
	late := a.open(t, a.own, nil)
	if p, err := awsiam.Kind().Open(providers.Opening{
		Name: "cloud", Now: func() time.Time { return a.now().Add(-time.Hour) },
		Settings: &awsiam.Settings{URL: a.url + sandbox.PathIAM, STSURL: a.url + sandbox.PathSTS},
		Secret:   func(string) (string, error) { return a.own, nil },
	}); err != nil {
		t.Fatal(err)
	} else if answer, err := p.Verify(t.Context(), target("billing"), a.first); answer != providers.Unknown || err == nil {
		t.Errorf("an hour late: %s, %v", answer, err)
	}
	if answer, err := late.Verify(t.Context(), target("billing"), a.first); answer != providers.Accepted {
		t.Errorf("on time: %s, %v", answer, err)
	}
}

// The right to see a use is worth having and not needed.
func TestALookWithoutTheRightToSeeAUse(t *testing.T) {
	a := newAccount(t)
	p := a.open(t, a.own, transport(func(r *http.Request) (*http.Response, error) {
		if asks(r, "GetAccessKeyLastUsed") {
			return answers{403, refusal("AccessDenied", "")}.RoundTrip(r)
		}
		return http.DefaultTransport.RoundTrip(r)
	}))
	if seen, err := p.Inspect(t.Context(), target("billing")); err != nil || len(seen.Secrets) != 1 {
		t.Errorf("%+v, %v", seen, err)
	}
}

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCheckSaysWhatIsWrong(t *testing.T) {
	a := newAccount(t)
	weak := "aws_access_key_id=" + a.first.Names() + "\naws_secret_access_key=" + a.first[awsiam.FieldSecretAccessKey].Reveal()
	for name, test := range map[string]struct {
		own     string
		problem bool
		hint    string
	}{
		"all is well":               {a.own, false, ""},
		"the key is refused":        {strings.Replace(a.own, "+/", "++", 1), true, "credentials_file"},
		"it may not see every user": {weak, false, "names the users"},
		"there is no key":           {"", true, "credentials_file"},
	} {
		c, ok := a.open(t, test.own, nil).(providers.Checker)
		if !ok {
			t.Fatal("no Checker")
		}
		findings := c.Check(t.Context())
		if (len(findings) == 0) != (test.hint == "") || len(findings) > 0 && (findings[0].Problem != test.problem || !strings.Contains(findings[0].Hint, test.hint)) {
			t.Errorf("%s: %+v", name, findings)
		}
	}
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	for name, o := range map[string]providers.Opening{
		"settings of another kind": {Settings: 7}, "no address": {Settings: &awsiam.Settings{URL: "iam"}}, "no sts": {Settings: &awsiam.Settings{STSURL: "sts"}},
	} {
		if _, err := awsiam.Kind().Open(o); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	p, err := awsiam.Kind().Open(providers.Opening{
		Name: "cloud", Settings: &awsiam.Settings{}, Secret: func(string) (string, error) { return "", errors.New("no such file") },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = p.Inspect(t.Context(), target("billing")); providers.ClassOf(err) != providers.ClassAuth || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
}
