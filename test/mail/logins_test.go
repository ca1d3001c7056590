package mail_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// issuer is a token endpoint whose tokens a mail server asks about (RFC 6749 section 4.4, RFC 7662).
type issuer struct {
	secret string

	mu     sync.Mutex
	given  int
	active map[string]bool
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	answer := map[string]any{"active": i.active[r.PostFormValue("token")], "username": servers.MailUser}
	if r.URL.Path == "/token" {
		if r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("client_secret") != i.secret || r.PostFormValue("scope") != "mail" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		i.given++
		token := fmt.Sprintf("token-number-%d-of-the-mail-account", i.given)
		i.active[token] = true
		answer = map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 600}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// TestTheWaysToLogIn: Postfix and Dovecot take a mail after each login that can be configured, and none without.
func TestTheWaysToLogIn(t *testing.T) {
	t.Parallel()
	w := begin(t, "logins")
	postfix, err := servers.StartPostfix(t.Context(), w.Cache, w.Dir)
	must(t, err)
	t.Cleanup(postfix.Stop)
	tokens := &issuer{secret: "the-secret-of-the-mail-client", active: map[string]bool{}}
	endpoint := httptest.NewServer(tokens)
	t.Cleanup(endpoint.Close)
	must(t, postfix.AskAbout(t.Context(), endpoint.URL+"/introspect"))

	base := w.SMTPBlock(postfix)
	with := func(more world.Block, less ...string) world.Block {
		block := maps.Clone(base)
		maps.Copy(block, more)
		for _, key := range less {
			delete(block, key)
		}
		return block
	}
	cert, key := postfix.Certificate()
	oauth := world.Block{
		"token_url": endpoint.URL + "/token", "client_id": "rotad", "scope": "mail",
		"client_secret_file": w.WriteSecret("mail-client", tokens.secret),
	}
	ways := []struct {
		method string // as the mail server's log names it; empty = no login
		smtp   world.Block
		fails  string
	}{
		{"PLAIN", base, ""},
		{"LOGIN", with(world.Block{"auth": "login"}), ""},
		{"CRAM-MD5", with(world.Block{"auth": "cram-md5"}), ""},
		{"SCRAM-SHA-256", with(world.Block{"auth": "scram-sha-256"}), ""},
		{"XOAUTH2", with(world.Block{"auth": "xoauth2", "oauth": oauth}, "password_file"), ""},
		{"", with(world.Block{"client_cert_file": cert, "client_key_file": key}, "username", "password_file"), ""},
		{"", with(nil, "username", "password_file"), "5.7.1"},
		{"", with(world.Block{"auth": "scram-sha-256", "password_file": w.WriteSecret("wrong", "another-password")}), "refuses the login"},
		{"", with(world.Block{"auth": "xoauth2", "password_file": w.WriteSecret("stale", "a-token-that-nobody-gave")}), "refuses the login"},
	}
	want := map[string]int{}
	for i, way := range ways {
		w.Config.SMTP = way.smtp
		w.WriteConfig()
		to := w.Address(fmt.Sprintf("way-%d", i))
		got := w.CLI("", "send-test", "--to", to)
		if (got.Code == 0) != (way.fails == "") || !strings.Contains(got.Stderr, way.fails) {
			t.Errorf("%v: code %d\n%s%s", way.smtp, got.Code, got.Stdout, got.Stderr)
		}
		if way.method != "" {
			want[way.method]++
		}
		if way.fails == "" {
			w.Await(patience, "the mail of "+way.method+" lies in the mailbox", func() error { return arrived(postfix, to) })
		}
	}
	by, err := postfix.LoginsBy()
	must(t, err)
	if !maps.Equal(by, want) {
		t.Errorf("the mail server saw logins by %v, want %v", by, want)
	}
	t.Logf("mails after a login by %v, and one by certificate; 3 refused", by)
}

func arrived(p *servers.Postfix, to string) error {
	mails, err := p.Mails(to)
	if err == nil && len(mails) != 1 {
		err = fmt.Errorf("%d mails to %s", len(mails), to)
	}
	return err
}
