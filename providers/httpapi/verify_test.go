package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// credentialsOf undoes RFC 6749 section 2.3.1, as a server does.
func credentialsOf(t *testing.T, r *http.Request) (id, secret string) {
	t.Helper()
	user, password, ok := r.BasicAuth()
	if !ok {
		return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if r.PostForm.Has("client_secret") {
		t.Error("the secret is sent twice")
	}
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	if errID != nil || errSecret != nil {
		t.Error(errID, errSecret)
	}
	return id, secret
}

func billing() credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive("billing"), credential.FieldClientSecret: credential.NewSensitive("CANARY"),
	}
}

const (
	cc    = credential.VerifyClientCredentials
	code  = credential.VerifyAuthCode
	intro = credential.VerifyIntrospection
)

func TestAnswersOfOAuthServers(t *testing.T) {
	for _, test := range []struct {
		name   string
		method credential.VerifyMethod
		status int
		body   string
		want   providers.Answer
	}{
		{"a token", cc, 200, `{"access_token":"t"}`, providers.Accepted},
		{"success without a token", cc, 200, `{}`, providers.Unknown},
		{"success with an error inside", cc, 200, `{"access_token":"t","error":"invalid_client"}`, providers.Unknown},
		{"wrong secret", cc, 401, `{"error":"invalid_client"}`, providers.Refused},
		{"wrong secret, as Cognito says it", cc, 400, `{"error":"invalid_client"}`, providers.Refused},
		{"scope not allowed", cc, 400, `{"error":"invalid_scope"}`, providers.Accepted},
		{"target not allowed", cc, 400, `{"error":"invalid_target"}`, providers.Accepted},
		{"grant not allowed", cc, 400, `{"error":"unauthorized_client"}`, providers.Accepted},
		{"grant not known, perhaps before the client was looked at", cc, 400, `{"error":"unsupported_grant_type"}`, providers.Unknown},
		{"malformed request, perhaps before the client was looked at", code, 400, `{"error":"invalid_request"}`, providers.Unknown},
		{"the code is wrong, so the secret is right", code, 400, `{"error":"invalid_grant"}`, providers.Accepted},
		{"a bogus code is taken", code, 200, `{"access_token":"t"}`, providers.Unknown},
		{"wrong secret with a code", code, 401, `{"error":"invalid_client"}`, providers.Refused},
		{"inactive token", intro, 200, `{"active":false}`, providers.Accepted},
		{"something else", intro, 200, `{"result":"ok"}`, providers.Unknown},
		{"wrong secret at introspection", intro, 401, `{"error":"invalid_client"}`, providers.Refused},
		{"invalid_grant makes no sense at introspection", intro, 400, `{"error":"invalid_grant"}`, providers.Unknown},
		{"a gateway refuses", code, 401, `<html>`, providers.Unknown},
		{"a gateway forbids", code, 403, `{"message":"WAF"}`, providers.Unknown},
		{"a broken document", code, 401, `{"error":"invalid_client"`, providers.Unknown},
		{"throttled", code, 429, `{"error":"invalid_client"}`, providers.Unknown},
		{"down", code, 503, `{"error":"invalid_client"}`, providers.Unknown},
		{"a gateway allows no POST", code, 405, `<html>`, providers.Unknown},
		{"a gateway knows no such thing", code, 501, ``, providers.Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := httpapi.Verifier{Token: "/token", Introspect: "/introspect", Client: inProcess(t, func(*http.Request) (*http.Response, error) {
				return reply(test.status, "application/json", "", test.body), nil
			})}
			got, err := v.Verify(t.Context(), credential.VerifySettings{Method: test.method}, billing())
			if got != test.want || (err == nil) != (got != providers.Unknown) {
				t.Errorf("%s, %v; want %s", got, err, test.want)
			}
			if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), "CANARY") ||
				providers.ClassOf(err) == providers.ClassAuth || providers.ClassOf(err) == providers.ClassUnsupported) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestKindMayReadAnAnswerItsOwnWay(t *testing.T) {
	v := httpapi.Verifier{
		Token: "/token",
		Client: inProcess(t, func(*http.Request) (*http.Response, error) {
			return reply(401, "application/json", "", `{"error":"unauthorized_client","error_description":"d"}`), nil
		}),
		Classify: func(r httpapi.VerifyReply) (providers.Answer, bool) {
			return providers.Refused, r.Code == "unauthorized_client" && r.Description == "d" && r.Status == 401 && r.Method == code
		},
	}
	if got, err := v.Verify(t.Context(), credential.VerifySettings{}, billing()); got != providers.Refused || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestWhatVerifySends(t *testing.T) {
	for _, test := range []struct {
		name     string
		settings credential.VerifySettings
		auto     credential.VerifyMethod
		path     string
		form     url.Values
	}{
		{"auto is auth_code", credential.VerifySettings{}, "", "/token", url.Values{"grant_type": {"authorization_code"}}},
		{"auto of the kind", credential.VerifySettings{Method: "auto"}, cc, "/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"of the kind"}}},
		{"client_credentials with a scope", credential.VerifySettings{Method: cc, Scope: "mine", Auth: "post"}, "", "/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"mine"}}},
		{"introspection", credential.VerifySettings{Method: intro}, cc, "/introspect", url.Values{"grant_type": nil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := false
			client := serve(t, httpapi.Config{}, func(w http.ResponseWriter, r *http.Request) {
				asked = true
				if err := r.ParseForm(); err != nil {
					t.Error(err)
				}
				if id, secret := credentialsOf(t, r); id != "billing" || secret != "CANARY" {
					t.Errorf("%q, %q", id, secret)
				}
				if r.URL.Path != test.path || r.Header.Get("X-Forwarded-Proto") != "https" || r.URL.RawQuery != "" {
					t.Errorf("%s %v", r.URL, r.Header)
				}
				for name, want := range test.form {
					if got := r.PostForm[name]; strings.Join(got, ",") != strings.Join(want, ",") {
						t.Errorf("%s = %v, want %v", name, got, want)
					}
				}
				w.WriteHeader(http.StatusTeapot)
			})
			v := httpapi.Verifier{
				Client: client, Token: "/token", Introspect: "/introspect", Auto: test.auto, Scope: "of the kind",
				Header: http.Header{"X-Forwarded-Proto": {"https"}},
			}
			if got, err := v.Verify(t.Context(), test.settings, billing()); got != providers.Unknown || err == nil || !asked {
				t.Errorf("%s, %v, asked %t", got, err, asked)
			}
		})
	}
}

func TestVerifyMethodThatTheKindLacks(t *testing.T) {
	v := httpapi.Verifier{Token: "/token", Client: inProcess(t, nil)}
	for _, method := range []credential.VerifyMethod{intro, "guess"} {
		got, err := v.Verify(t.Context(), credential.VerifySettings{Method: method}, billing())
		if got != providers.Unknown || providers.ClassOf(err) != providers.ClassUnsupported {
			t.Errorf("%s: %s, %v", method, got, err)
		}
	}
}

func TestACodeOfTheServersOwnIsSeen(t *testing.T) {
	for body, want := range map[string]string{
		`{"statusCode":401,"code":"ERR12007"}`: "ERR12007", `{"code":12007}`: "", `{"code":null}`: "", `{"code":{"code":"ERR"}}`: "",
		`{"code":"a secret & more"}`: "", `{"error":"invalid_client","code":"ERR12007"}`: "ERR12007",
	} {
		got := httpapi.VerifyReply{}
		v := httpapi.Verifier{Token: "/token", Client: inProcess(t, func(*http.Request) (*http.Response, error) {
			return reply(http.StatusUnauthorized, "application/json", "", body), nil
		}), Classify: func(r httpapi.VerifyReply) (providers.Answer, bool) {
			got = r
			return providers.Refused, true
		}}
		if _, err := v.Verify(t.Context(), credential.VerifySettings{}, billing()); err != nil || got.OwnCode != want || !got.JSON {
			t.Errorf("%s: %+v, want %q (%v)", body, got, want, err)
		}
	}
}
