package notify_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rotad/rotad/notify"
)

func pageOf(t *testing.T, server *httptest.Server, path string) (status int, policy, body string) {
	t.Helper()
	reply, err := http.Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	raw, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, reply.Header.Get("Content-Security-Policy"), string(raw)
}

func TestThePreviewIsServed(t *testing.T) {
	own := fstest.MapFS{}
	server := httptest.NewServer(notify.PreviewPage(own, ""))
	defer server.Close()
	status, policy, index := pageOf(t, server, "/")
	if status != http.StatusOK || !strings.Contains(policy, "default-src 'none'") || strings.Contains(index, "<script") || strings.Contains(index, `role="alert"`) {
		t.Errorf("%d, %q", status, policy)
	}
	for _, file := range []string{"rotated.html", "rotated.txt", "rotated.eml", "announce.ics", "rotated.webhook.json", "rotated.slack.json"} {
		if !strings.Contains(index, `href="/`+file+`"`) {
			t.Errorf("the list does not lead to %s", file)
		}
		if status, policy, body := pageOf(t, server, "/"+file); status != http.StatusOK || !strings.HasPrefix(policy, "sandbox;") || body == "" {
			t.Errorf("%s: %d, %q", file, status, policy)
		}
	}
	if status, _, _ := pageOf(t, server, "/birthday.html"); status != http.StatusNotFound {
		t.Errorf("a sample that there is not: %d", status)
	}
	own["mail/rotated/words.tmpl"] = &fstest.MapFile{Data: []byte(`{{define "subject"}}Fresh{{end}}{{define "headline"}}<b>{{end}}{{define "lead"}}{{end}}`)}
	if _, _, body := pageOf(t, server, "/rotated.txt"); !strings.HasPrefix(body, "Subject: Fresh\n") {
		t.Error("a template that has changed is not seen")
	}
	own["mail/rotated/words.tmpl"] = &fstest.MapFile{Data: []byte(`{{define "subject"}}{{.Nope}}{{end}}{{define "headline"}}{{end}}{{define "lead"}}{{end}}`)}
	if status, _, index := pageOf(t, server, "/"); status != http.StatusOK || !strings.Contains(index, "mail/rotated/words.tmpl:1:") {
		t.Errorf("%d, a mistake is not shown: %.300s", status, index)
	}
}
