package notify_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/notify"
)

// The page shows the very lines that are tried here.
func TestTheReceiverOfThePageTellsWhatComesFromRotad(t *testing.T) {
	source, err := os.ReadFile("receiver_test.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/reference/channels.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(source), "// verify says")
	if example == "" || !strings.Contains(string(page), "// verify says"+example) {
		t.Error("docs/reference/channels.md shows another example than receiver_test.go")
	}
	var header http.Header
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	c, err := notify.NewWebhook(notify.WebhookSettings{Name: "ops", URL: server.URL, Keys: sensitive(otherKey + " " + signingKey), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), posted(t, "ops")); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		body   string
		secret string
		now    time.Time
		edit   func(http.Header)
		taken  bool
	}{
		"what rotad sent":        {string(body), signingKey, noon, nil, true},
		"with the other key":     {string(body), otherKey, noon, nil, true},
		"a key that is not used": {string(body), "whsec_" + "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=", noon, nil, false},
		"another body":           {strings.Replace(string(body), "billing", "payroll", 1), signingKey, noon, nil, false},
		"another id":             {string(body), signingKey, noon, func(h http.Header) { h.Set("webhook-id", "msg_2") }, false},
		"another time":           {string(body), signingKey, noon, func(h http.Header) { h.Set("webhook-timestamp", "1796558401") }, false},
		"played back later":      {string(body), signingKey, noon.Add(10 * time.Minute), nil, false},
		"no signature":           {string(body), signingKey, noon, func(h http.Header) { h.Del("webhook-signature") }, false},
	} {
		h := header.Clone()
		if tt.edit != nil {
			tt.edit(h)
		}
		if err := verify(h, []byte(tt.body), tt.secret, tt.now); (err == nil) != tt.taken {
			t.Errorf("%s: %v", name, err)
		}
	}
}
