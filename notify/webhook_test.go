package notify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/notify"
)

// The vector is the one that the libraries of Standard Webhooks are tested with.
func TestTheSignatureIsTheOneOfStandardWebhooks(t *testing.T) {
	keys, err := notify.ParseKeys(credential.NewSensitive("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
	if err != nil {
		t.Fatal(err)
	}
	signed := notify.Signatures(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if signed != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signed as %s", signed)
	}
}

func TestTheHeadersOfAWebhook(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()
	c, err := notify.NewWebhook(notify.WebhookSettings{Name: "ops", URL: server.URL, Keys: sensitive(signingKey), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	m := posted(t, "ops")
	if _, err := c.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got.Get("webhook-id") != m.ID || got.Get("webhook-timestamp") != "1796558400" || strings.Contains(m.ID, ".") {
		t.Errorf("headers %v", got)
	}
	if kind := got.Get("Content-Type"); kind != "application/cloudevents+json; charset=utf-8" {
		t.Errorf("content type %q", kind)
	}
}

// While one key takes the place of another, receivers that know either take what is signed.
func TestBothKeysOfARotationAreUsed(t *testing.T) {
	for _, known := range []string{signingKey, otherKey} {
		c, hook, _ := webhookTo(t, signingKey+"\n"+otherKey+"\n", known)
		if _, err := c.Send(t.Context(), posted(t, "ops")); err != nil || len(hook.Events()) != 1 {
			t.Errorf("a receiver that knows one key took %d: %v", len(hook.Events()), err)
		}
	}
	c, hook, _ := webhookTo(t, signingKey, otherKey)
	if _, err := c.Send(t.Context(), posted(t, "ops")); err == nil || len(hook.Events()) != 0 {
		t.Error("a receiver took what is signed with a key that it does not know")
	}
}

// A lost answer is repeated until there is one: the receiver knows the id, and the body is the same to the byte.
func TestARepeatedWebhookIsTheSameEvent(t *testing.T) {
	c, hook, faults := webhookTo(t, signingKey, signingKey)
	faults.DropReply(sandbox.When{Count: 1})
	n, r := rotated("billing"), renderer(t)
	for i, at := range []time.Time{noon, noon.Add(50 * time.Hour)} {
		m, _, err := r.Render(n, notify.Recipient{Channel: "ops"}, at)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Send(t.Context(), m)
		var failed *notify.SendError
		if first := errors.As(err, &failed) && failed.Class == notify.ClassRetry; first != (i == 0) {
			t.Errorf("attempt %d: %v", i+1, err)
		}
		body, err := notify.Event(m)
		if events := hook.Events(); err != nil || len(events) != 1 || string(events[0].Body) != string(body) {
			t.Errorf("attempt %d has another body or another id", i+1)
		}
	}
	if repeated, refused := hook.Counts(); repeated != 1 || refused != 0 {
		t.Errorf("%d came again, %d were refused", repeated, refused)
	}
}

func TestWhatMayBeConcludedFromAnHTTPStatus(t *testing.T) {
	for _, tt := range []struct {
		status int
		class  notify.Class
	}{
		{500, notify.ClassRetry},
		{502, notify.ClassRetry},
		{401, notify.ClassRetry},
		{404, notify.ClassRetry},
		{400, notify.ClassRetry},
		{429, notify.ClassDown},
		{503, notify.ClassDown},
		{410, notify.ClassPermanent},
	} {
		c, _, faults := webhookTo(t, signingKey, signingKey)
		faults.Status(sandbox.When{}, tt.status, time.Minute)
		_, err := c.Send(t.Context(), posted(t, "ops"))
		var failed *notify.SendError
		if !errors.As(err, &failed) || failed.Class != tt.class || failed.Code != tt.status || failed.After != time.Minute {
			t.Errorf("%d: %+v", tt.status, failed)
		}
	}
}

func TestWhenAServerWantsToBeAskedAgain(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-5": 0, "0": 0, "90": 90 * time.Second, "1e3": 0, "99999999": 24 * time.Hour, "99999999999999999999": 0,
		"Sun, 06 Dec 2026 12:05:00 GMT": 5 * time.Minute, "Sun, 06 Dec 2026 11:00:00 GMT": 0, "Tue, 06 Dec 2050 12:00:00 GMT": 24 * time.Hour,
	} {
		if got := notify.RetryAfter(text, noon); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

// Where a redirect leads nobody has configured, and the body and the signature are not for it.
func TestARedirectIsNotFollowed(t *testing.T) {
	followed := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer other.Close()
	for _, status := range []int{301, 302, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(other.URL, status))
		c, err := notify.NewWebhook(notify.WebhookSettings{Name: "ops", URL: server.URL, Keys: sensitive(signingKey), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Send(t.Context(), posted(t, "ops"))
		if err == nil || !strings.Contains(err.Error(), "redirect") || strings.Contains(err.Error(), other.URL) || followed {
			t.Errorf("%d: %v, followed: %v", status, err, followed)
		}
		server.Close()
	}
}

// A server may answer with what it was sent, or with anything else.
func TestNoAnswerIsQuoted(t *testing.T) {
	for name, answer := range map[string]string{
		"a body":               "HTTP/1.1 500 x\r\nContent-Length: 13\r\n\r\necho-of-a-key",
		"a reason":             "HTTP/1.1 500 echo-of-a-key\r\nContent-Length: 0\r\n\r\n",
		"no HTTP":              "echo-of-a-key echo-of-a-key\r\n\r\n",
		"a wrong status":       "HTTP/1.1 echo-of-a-key\r\n\r\n",
		"a wrong header":       "HTTP/1.1 200 OK\r\necho-of-a-key\r\n\r\n",
		"a wrong length":       "HTTP/1.1 200 OK\r\nContent-Length: echo-of-a-key\r\n\r\n",
		"a place to go":        "HTTP/1.1 302 x\r\nLocation: http://echo-of-a-key/\r\n\r\n",
		"a place that is none": "HTTP/1.1 302 x\r\nLocation: :echo-of-a-key\r\n\r\n",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = conn.Write([]byte(answer))
			_ = conn.Close()
		}))
		c, err := notify.NewWebhook(notify.WebhookSettings{Name: "ops", URL: server.URL, Keys: sensitive(signingKey), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.Send(t.Context(), posted(t, "ops")); err == nil || strings.Contains(err.Error(), "echo-of-a-key") {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
	}
}

func TestAnEventIsACloudEvent(t *testing.T) {
	for _, n := range allKinds(rotated("billing")) {
		n.Facts.Expires = time.Time{}
		m, _, err := renderer(t).Render(n, notify.Recipient{Channel: "ops"}, noon)
		if err != nil {
			t.Fatal(err)
		}
		body, err := notify.Event(m)
		if err != nil {
			t.Fatal(err)
		}
		var e map[string]any
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatal(err)
		}
		for _, attribute := range []string{"id", "source", "type"} {
			if text, ok := e[attribute].(string); !ok || text == "" {
				t.Errorf("%s: %s is %v", n.Kind, attribute, e[attribute])
			}
		}
		if e["specversion"] != "1.0" || e["id"] != m.ID || e["subject"] != "billing" || e["time"] != "2026-12-06T12:00:00Z" {
			t.Errorf("%s: %s", n.Kind, body)
		}
		if strings.ContainsAny(e["type"].(string), "- ") || strings.Contains(string(body), "0001-01-01") || len(body) > 20<<10 {
			t.Errorf("%s: %s", n.Kind, body)
		}
	}
	if _, err := notify.Event(letterTo(t, "team@example.com")); err == nil {
		t.Error("a mail was made an event")
	}
}

func TestKeysAndURLsThatAreRefused(t *testing.T) {
	for _, bad := range []string{"", " \n", "0123", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", strings.TrimPrefix(signingKey, "whsec_"), signingKey + " whsec_c2hvcnQ="} {
		if keys, err := notify.ParseKeys(credential.NewSensitive(bad)); err == nil || keys != nil || len(bad) > 9 && strings.Contains(err.Error(), bad[7:]) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{
		"", "ops", "ftp://example.com/", "http://example.com/", "http://10.0.0.1/", "https://", "https:opaque", "https://a:b@example.com/", "https://example.com/#x",
		"http://localhost.example.com/", "://",
	} {
		if _, err := notify.CheckURL(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for _, good := range []string{"https://example.com", "https://example.com:8443/a?b=c", "http://127.0.0.1:9000/", "http://[::1]/", "http://localhost/x"} {
		if _, err := notify.CheckURL(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	if _, err := notify.NewWebhook(notify.WebhookSettings{Name: "ops", URL: "http://example.com/?t=path-secret", Keys: sensitive(signingKey), Now: time.Now}); err == nil || strings.Contains(err.Error(), "path-secret") {
		t.Errorf("%v", err)
	}
}

func TestCheckConnectsAndSendsNothing(t *testing.T) {
	c, hook, faults := webhookTo(t, signingKey, signingKey)
	faults.Status(sandbox.When{Count: -1}, 500, 0)
	if err := c.Check(t.Context()); err != nil || faults.Hits() != 0 || len(hook.Events()) != 0 {
		t.Errorf("%v; %d requests", err, faults.Hits())
	}
	none, err := notify.NewWebhook(notify.WebhookSettings{Name: "ops", URL: "https://127.0.0.1:1/", Keys: sensitive(signingKey), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := none.Check(t.Context()); err == nil {
		t.Error("a server that does not listen was reached")
	}
	keyless, _, _ := webhookTo(t, "whsec_", signingKey)
	if err := keyless.Check(t.Context()); err == nil {
		t.Error("a wrong key was taken")
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	stranger, err := notify.NewWebhook(notify.WebhookSettings{Name: "ops", URL: secure.URL, Keys: sensitive(signingKey), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"connected to": stranger.Check(t.Context()), "told": second(stranger.Send(t.Context(), posted(t, "ops")))} {
		if err == nil || !strings.Contains(err.Error(), "not trusted") {
			t.Errorf("a server whose certificate nobody trusts was %s: %v", what, err)
		}
	}
}

func second(_ notify.Receipt, err error) error { return err }

func indent(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), '\n')
}
