package lightapi_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/lightapi"
)

// reply is what a portal answers to one sort of request.
type reply struct {
	status int
	body   string
}

// answering is a transport.
type answering func(*http.Request) reply

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	found := a(r)
	return &http.Response{
		StatusCode: found.status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(found.body)), Request: r,
	}, nil
}

// answers are replies by path; what they do not know is 404.
type answers map[string]reply

func (a answers) to(r *http.Request) reply {
	if found, ok := a[r.URL.Path]; ok {
		return found
	}
	return reply{status: http.StatusNotFound}
}

const (
	queryPath   = "/portal/query"
	commandPath = "/portal/command"
	tokenPath   = "/token"
	someClient  = `{"clientId":"billing","aggregateVersion":11}`
)

func openOn(t testing.TB, a answers) providers.Provider {
	t.Helper()
	return openWith(t, a.to)
}

func openWith(t testing.TB, a answering) providers.Provider {
	t.Helper()
	p, err := lightapi.Kind().Open(providers.Opening{
		Name: "portal", Transport: a, Secret: func(string) (string, error) { return "bearer", nil },
		Settings: &lightapi.Settings{URL: "https://portal", HostID: "host", TokenURL: "https://oauth/token", TokenEnv: "T", StaleCode: "ERR99999"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHowAClientMayBeWritten(t *testing.T) {
	for name, test := range map[string]struct {
		body  string
		class providers.Class
	}{
		"as an object":                {someClient, ""},
		"in JSON-RPC":                 {`{"jsonrpc":"2.0","id":"x","result":` + someClient + `}`, ""},
		"as a text":                   {`"{\"clientId\":\"billing\",\"aggregateVersion\":11}"`, ""},
		"as a text in JSON-RPC":       {`{"result":"{\"clientId\":\"billing\",\"aggregateVersion\":11}"}`, ""},
		"with the version as a text":  {`{"clientId":"billing","aggregateVersion":"11"}`, ""},
		"without a version":           {`{"clientId":"billing"}`, providers.ClassUnavailable},
		"with half a version":         {`{"clientId":"billing","aggregateVersion":1.5}`, providers.ClassUnavailable},
		"with a version too large":    {`{"clientId":"billing","aggregateVersion":1e300}`, providers.ClassUnavailable},
		"as another client":           {`{"clientId":"other","aggregateVersion":11}`, providers.ClassUnavailable},
		"as null":                     {`{"jsonrpc":"2.0","result":null}`, providers.ClassUnavailable},
		"as a list":                   {`[]`, providers.ClassUnavailable},
		"as a text that is no object": {`"billing"`, providers.ClassUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			seen, err := openOn(t, answers{queryPath: {200, test.body}}).Inspect(t.Context(), target("billing"))
			expectClass(t, err, test.class)
			if (err == nil) != (seen.Caps.Mode == credential.ModeHardCutover) {
				t.Errorf("%+v, error %v", seen, err)
			}
		})
	}
}

// TestWhatAnErrorOfTheCommandMeans: above all, whether a secret may have been made.
func TestWhatAnErrorOfTheCommandMeans(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		class  providers.Class
	}{
		"stale, by its status":                      {409, `{}`, providers.ClassConflict},
		"stale, by its status inside":               {200, `{"error":{"statusCode":409,"code":"ERR11000"}}`, providers.ClassConflict},
		"stale, by its words":                       {400, `{"statusCode":400,"code":"ERR11000","message":"STALE_VERSION"}`, providers.ClassConflict},
		"stale, by its words inside":                {200, `{"error":{"statusCode":400,"description":"Please refresh and retry."}}`, providers.ClassConflict},
		"stale, by a code that an operator named":   {400, `{"statusCode":400,"code":"ERR99999"}`, providers.ClassConflict},
		"the same inside of a success":              {200, `{"error":{"statusCode":400,"code":"ERR99999"}}`, providers.ClassConflict},
		"stale, in JSON-RPC":                        {400, `{"jsonrpc":"2.0","error":{"code":-32000,"message":"ConcurrencyException"}}`, providers.ClassConflict},
		"a server that failed with such words":      {500, `{"statusCode":500,"message":"ConcurrencyException"}`, providers.ClassIndeterminate},
		"the same inside":                           {200, `{"error":{"statusCode":500,"message":"ConcurrencyException"}}`, providers.ClassIndeterminate},
		"a gateway with a status inside":            {502, `{"statusCode":400,"code":"ERR99999"}`, providers.ClassIndeterminate},
		"a token of the wrong sort":                 {400, `{"statusCode":400,"code":"ERR11601"}`, providers.ClassAuth},
		"a token of the wrong sort, inside":         {200, `{"error":{"statusCode":400,"code":"ERR11601"}}`, providers.ClassAuth},
		"a right is missing, inside":                {200, `{"error":{"statusCode":403,"code":"ERR10007"}}`, providers.ClassAuth},
		"no such client":                            {400, `{"statusCode":400,"code":"ERR11637"}`, providers.ClassNotFound},
		"no such client, inside":                    {200, `{"error":{"statusCode":404,"code":"ERR11637"}}`, providers.ClassNotFound},
		"an error as a text":                        {200, `{"error":"{\"statusCode\":400,\"code\":\"ERR11004\"}"}`, providers.ClassRejected},
		"an error as the result":                    {200, `{"result":{"statusCode":400,"code":"ERR11004"}}`, providers.ClassRejected},
		"an error as the whole":                     {200, `{"statusCode":400,"code":"ERR11004"}`, providers.ClassRejected},
		"JSON-RPC does not know the method":         {200, `{"error":{"code":-32601,"message":"Method not found"}}`, providers.ClassUnsupported},
		"JSON-RPC does not take the parameters":     {200, `{"error":{"code":-32602}}`, providers.ClassRejected},
		"JSON-RPC failed":                           {200, `{"error":{"code":-32603}}`, providers.ClassIndeterminate},
		"a status in the place of a code":           {200, `{"error":{"code":400}}`, providers.ClassRejected},
		"throttled, inside":                         {200, `{"error":{"statusCode":429}}`, providers.ClassThrottled},
		"a code without a status":                   {200, `{"error":{"code":"ERR10014"}}`, providers.ClassIndeterminate},
		"an error that says nothing":                {200, `{"error":{"message":"no"}}`, providers.ClassNotUnderstood},
		"an error that says true":                   {200, `{"error":true}`, providers.ClassNotUnderstood},
		"a result without the plaintext":            {200, `{"result":{"clientId":"billing","aggregateVersion":12}}`, providers.ClassNotUnderstood},
		"a result about another client":             {200, `{"result":{"clientId":"other","clientSecret":"x"}}`, providers.ClassNotUnderstood},
		"a plaintext that is none":                  {200, `{"result":{"clientId":"billing","clientSecret":17}}`, providers.ClassNotUnderstood},
		"a result beside an error of no importance": {200, `{"error":null,"result":{"clientSecret":"x"}}`, ""},
		"a result as a text":                        {200, `{"result":"{\"clientSecret\":\"x\",\"rotatedTs\":\"soon\"}"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := openOn(t, answers{queryPath: {200, someClient}, commandPath: {test.status, test.body}})
			issued, err := p.Create(t.Context(), target("billing"), providers.Request{Label: "l"})
			expectClass(t, err, test.class)
			if (err == nil) != (issued.Bundle.Secret().Reveal() == "x") {
				t.Errorf("error %v", err)
			}
			if test.class == providers.ClassNotUnderstood && issued.Raw.Reveal() != test.body {
				t.Error("the reply is lost")
			}
		})
	}
}

func TestAnErrorSaysWhatToDo(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"statusCode":401,"code":"ERR11601"}}`: "give one in token_file",
		`{"error":{"code":-32601}}`:                      "wire: legacy",
		`{"error":{"statusCode":404,"code":"ERR11637"}}`: "no such client in this host",
		`{"error":{"statusCode":403,"code":"ERR10007"}}`: "ERR10007",
		`{"error":{"statusCode":409}}`:                   "rotad resume ID --abort",
	} {
		for _, status := range []int{200, 400} {
			p := openOn(t, answers{queryPath: {200, someClient}, commandPath: {status, body}})
			_, err := p.Create(t.Context(), target("billing"), providers.Request{Label: "l"})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%d %s: %v, want %q", status, body, err, want)
			}
		}
	}
}

func TestAnswersOfLightOAuth(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   providers.Answer
	}{
		"a token":                         {200, `{"access_token":"t"}`, providers.Accepted},
		"a wrong secret":                  {401, `{"statusCode":401,"code":"ERR12007","message":"UNAUTHORIZED_CLIENT"}`, providers.Refused},
		"a wrong secret, by RFC 6749":     {401, `{"error":"invalid_client"}`, providers.Refused},
		"a scope that is not the client":  {400, `{"statusCode":400,"code":"ERR12027","message":"MISMATCH_SCOPE"}`, providers.Accepted},
		"a client that is not there":      {404, `{"statusCode":404,"code":"ERR12014"}`, providers.Unknown},
		"a grant that is not known":       {400, `{"statusCode":400,"code":"ERR12001"}`, providers.Unknown},
		"a header that it cannot read":    {401, `{"statusCode":401,"code":"ERR12004"}`, providers.Unknown},
		"a gateway with such a code":      {502, `{"statusCode":401,"code":"ERR12007"}`, providers.Unknown},
		"such a code with another status": {403, `{"code":"ERR12007"}`, providers.Unknown},
		"such a code in a success":        {200, `{"code":"ERR12007"}`, providers.Unknown},
		"two codes, and RFC 6749 rules":   {400, `{"error":"invalid_client","code":"ERR12027"}`, providers.Refused},
		"a gateway that knows the scope":  {502, `{"statusCode":400,"code":"ERR12027"}`, providers.Unknown},
		"a code that is a number":         {401, `{"error":"invalid_client","code":12007}`, providers.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := openOn(t, answers{tokenPath: {test.status, test.body}}).Verify(t.Context(), target("billing"), bundle("billing", "s"))
			if got != test.want || (err == nil) != (got != providers.Unknown) {
				t.Errorf("%s, want %s (error %v)", got, test.want, err)
			}
		})
	}
}
