package lightapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// mark is part of no message of ours: an error that holds it repeats what the portal said.
const mark = "Q0q0Q0q0"

// What answers a command that succeeded is a secret, a refusal that is certain, or it is kept: a plaintext is never lost,
// and never repeated in an error.
func FuzzIssued(f *testing.F) {
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":"x","result":{"hostId":"host","clientId":"billing","clientSecret":"` + mark + `","aggregateVersion":12,"rotatedTs":"2026-05-28T14:22:00Z"}}`,
		`{"clientSecret":"` + mark + `"}`, `"{\"clientSecret\":\"` + mark + `\"}"`, `{"result":"{\"clientSecret\":\"` + mark + `\"}"}`,
		`{"error":{"statusCode":409,"code":"ERR11639","message":"` + mark + `"}}`, `{"error":{"code":-32603,"data":"` + mark + `"}}`,
		`{"error":{"statusCode":400},"result":{"clientSecret":"` + mark + `"}}`, `{"error":"` + mark + `","clientSecret":"` + mark + `"}`,
		`{"result":{"statusCode":400,"clientSecret":"` + mark + `"}}`, `{"clientSecret":["` + mark + `"]}`, `{"clientSecret":"` + mark,
		`<html>` + mark, ``, `null`, `{"result":{"clientSecret":"` + mark + `"}} {}`, `{"statusCode":"401","code":"` + mark + `"}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := openOn(t, answers{queryPath: {200, someClient}, commandPath: {http.StatusOK, body}})
		issued, err := p.Create(t.Context(), target("billing"), providers.Request{Label: "l"})
		class := providers.ClassOf(err)
		switch {
		case err == nil && issued.Bundle.Secret().Empty():
			t.Error("a success without a secret")
		case class == providers.ClassNotUnderstood && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		}
		decoder, ok := p.(providers.Decoder)
		if !ok {
			t.Fatal("a stored reply cannot be read again")
		}
		again, failed := decoder.Decode(target("billing"), credential.NewSensitive(body))
		if failed == nil && err == nil && !again.Bundle.Equal(issued.Bundle) {
			t.Error("the stored reply is read as another secret")
		}
		if failed != nil && strings.Contains(failed.Error(), mark) {
			t.Errorf("the error repeats the reply: %v", failed)
		}
	})
}

// What answers a query is a client, or an error that proves nothing and repeats nothing.
func FuzzClients(f *testing.F) {
	for _, body := range []string{
		`{"hostId":"host","clientId":"billing","clientType":"trusted","active":true,"hasClientSecret":true,"aggregateVersion":11,"ownerPositionId":"p"}`,
		`{"clientId":"billing","aggregateVersion":"11","clientSecret":"1000:` + mark + `"}`, `{"clientId":"billing","aggregateVersion":-1}`,
		`{"jsonrpc":"2.0","result":{"clientId":"billing","aggregateVersion":11,"active":false}}`, `{"result":"\"\\\"{}\\\"\""}`,
		`{"clientId":"billing","aggregateVersion":11,"clientType":"public"}`, `{"clientId":17,"aggregateVersion":1e16}`,
		`{"error":{"statusCode":404,"code":"ERR11637","description":"` + mark + `"}}`, `{"error":"` + mark + `"}`, `<html>` + mark, ``, `[null]`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		seen, err := openOn(t, answers{queryPath: {http.StatusOK, body}}).Inspect(t.Context(), target("billing"))
		switch {
		case err == nil && (seen.ClientID != "billing" || seen.Caps.Mode != credential.ModeHardCutover || len(seen.Secrets) > 1):
			t.Errorf("%+v", seen)
		case err != nil && !providers.Definite(err):
			t.Errorf("a look may have changed something: %v", err)
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the answer: %v", err)
		}
	})
}

// What a stale version is followed by is a second look. Whatever that shows, the command is sent twice at most, and a
// second time only where the same mark stood in both looks.
func FuzzListed(f *testing.F) {
	for _, body := range []string{
		`{"clients":[{"clientId":"billing","aggregateVersion":12,"clientSecret":"v"}],"total":1}`,
		`{"clients":[{"clientId":"billing","aggregateVersion":12,"clientSecret":"w"}]}`, `{"clients":[{"clientId":"billing","aggregateVersion":11,"clientSecret":"v"}]}`,
		`{"clients":[{"clientId":"other","aggregateVersion":12,"clientSecret":"v"}]}`, `{"clients":null}`, `{"clients":[null,17]}`, `[]`, ``,
		`{"result":"{\"clients\":[{\"clientId\":\"billing\",\"aggregateVersion\":\"12\",\"clientSecret\":\"v\",\"secretVersion\":1}]}"}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		looks, commands := 0, 0
		p := openWith(t, func(r *http.Request) reply {
			switch {
			case r.URL.Path == commandPath:
				commands++
				return reply{http.StatusConflict, `{}`}
			case strings.Contains(r.URL.RawQuery, "getFreshClient"):
				looks++
				return reply{http.StatusOK, `{"clientId":"billing","aggregateVersion":1` + string(rune('0'+looks)) + `,"clientSecret":"v"}`}
			}
			return reply{http.StatusOK, body}
		})
		_, err := p.Create(t.Context(), target("billing"), providers.Request{Label: "l"})
		expectClass(t, err, providers.ClassConflict)
		if commands > 2 || commands == 2 && !strings.ContainsAny(body, `v\`) {
			t.Errorf("the command was sent %d times after %q", commands, body)
		}
	})
}
