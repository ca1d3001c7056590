package notify_test

import (
	"context"
	"errors"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

func smtpTo(t *testing.T, port int, edit ...func(*notify.SMTPSettings)) *notify.SMTP {
	t.Helper()
	settings := notify.SMTPSettings{Host: "127.0.0.1", Port: port, TLS: notify.TLSNone, HELO: "rotad.test", Timeout: 2 * time.Second, Answer: time.Second}
	for _, e := range edit {
		e(&settings)
	}
	c, err := notify.NewSMTP(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func letterTo(t *testing.T, to string) notify.Message {
	t.Helper()
	m, _ := render(t, renderer(t), rotated("billing"), notify.Recipient{To: to})
	return m
}

// eventually waits for something that another goroutine or process brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("still not: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestWhatMayBeConcludedFromAFailedSend(t *testing.T) {
	type script = map[string][]string
	tests := map[string]struct {
		script script
		class  notify.Class // of the first send; -1 = it is taken
		stage  string
		code   int
		kept   bool // the connection is used again
	}{
		"taken":                                   {script{}, -1, "", 0, true},
		"taken with an unusual code":              {script{".": {"251 2.0.0 Ok"}}, -1, "", 0, true},
		"QUIT fails after success":                {script{"QUIT": {"drop"}}, -1, "", 0, true},
		"421 at MAIL":                             {script{"MAIL": {"421 4.3.2 closing"}}, notify.ClassDown, "mail", 421, false},
		"451 at MAIL":                             {script{"MAIL": {"451 4.3.0 later"}}, notify.ClassRetry, "mail", 451, false},
		"550 at MAIL is about us":                 {script{"MAIL": {"550 5.7.60 not allowed to send as"}}, notify.ClassDown, "mail", 550, false},
		"450 at RCPT":                             {script{"RCPT": {"450 4.2.0 greylisted"}}, notify.ClassRetry, "rcpt", 450, true},
		"452 at RCPT":                             {script{"RCPT": {"452 4.2.2 full"}}, notify.ClassRetry, "rcpt", 452, true},
		"550 at RCPT":                             {script{"RCPT": {"550 5.1.1 no such user"}}, notify.ClassPermanent, "rcpt", 550, true},
		"550 at RCPT without an enhanced code":    {script{"RCPT": {"550 no such user"}}, notify.ClassPermanent, "rcpt", 550, true},
		"554 at RCPT, relaying denied":            {script{"RCPT": {"554 5.7.1 relay access denied"}}, notify.ClassRetry, "rcpt", 554, true},
		"530 at RCPT, login required":             {script{"RCPT": {"530 authentication required"}}, notify.ClassRetry, "rcpt", 530, true},
		"550 at RCPT, then RSET fails":            {script{"RCPT": {"550 5.1.1 no such user"}, "RSET": {"drop"}}, notify.ClassPermanent, "rcpt", 550, false},
		"421 at RCPT":                             {script{"RCPT": {"421 4.7.0 too many"}}, notify.ClassDown, "rcpt", 421, false},
		"554 at DATA":                             {script{"DATA": {"554 5.5.1 no"}}, notify.ClassPermanent, "data", 554, false},
		"451 at DATA":                             {script{"DATA": {"451 4.3.0 later"}}, notify.ClassRetry, "data", 451, false},
		"250 at DATA makes no sense":              {script{"DATA": {"250 Ok"}}, notify.ClassRetry, "data", 250, false},
		"451 after the dot":                       {script{".": {"451 4.3.0 later"}}, notify.ClassRetry, "dot", 451, false},
		"554 after the dot":                       {script{".": {"554 5.7.1 spam"}}, notify.ClassPermanent, "dot", 554, false},
		"421 after the dot":                       {script{".": {"421 4.3.2 closing"}}, notify.ClassDown, "dot", 421, false},
		"lost before MAIL":                        {script{"MAIL": {"drop"}}, notify.ClassRetry, "mail", 0, false},
		"lost at RCPT":                            {script{"RCPT": {"drop"}}, notify.ClassRetry, "rcpt", 0, false},
		"lost at DATA":                            {script{"DATA": {"drop"}}, notify.ClassRetry, "data", 0, false},
		"lost after the dot":                      {script{".": {"drop"}}, notify.ClassAmbiguous, "dot", 0, false},
		"silence after the dot":                   {script{".": {"hang"}}, notify.ClassAmbiguous, "dot", 0, false},
		"refused at the greeting":                 {script{"CONNECT": {"554 5.3.2 go away"}}, notify.ClassDown, "dial", 554, false},
		"lost at the greeting":                    {script{"CONNECT": {"drop"}}, notify.ClassDown, "dial", 0, false},
		"EHLO and HELO refused":                   {script{"EHLO": {"500 what"}, "HELO": {"500 what"}}, notify.ClassDown, "dial", 500, false},
		"an answer that is no answer":             {script{"MAIL": {"hello there"}}, notify.ClassRetry, "mail", 0, false},
		"an answer with a code outside the table": {script{".": {"999 nonsense"}}, notify.ClassPermanent, "dot", 999, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			concludes(t, tt.script, tt.class, tt.stage, tt.code, tt.kept)
		})
		if tt.script["EHLO"] != nil {
			continue
		}
		atOnce := map[string][]string{"EHLO": {pipelining}}
		maps.Copy(atOnce, tt.script)
		t.Run(name+", all at once", func(t *testing.T) {
			t.Parallel()
			concludes(t, atOnce, tt.class, tt.stage, tt.code, tt.kept)
		})
	}
}

func concludes(t *testing.T, script map[string][]string, class notify.Class, stage string, code int, kept bool) {
	t.Helper()
	server := newScripted(t, script)
	c := smtpTo(t, server.port())
	receipt, err := c.Send(t.Context(), letterTo(t, "team@example.com"))
	checkSend(t, err, class, stage, code)
	if err == nil && script["."] == nil && receipt.Reply != "2.0.0 Ok: queued as 4F2A" {
		t.Errorf("the receipt is %q", receipt.Reply)
	}
	if _, err := c.Send(t.Context(), letterTo(t, "team@example.com")); (err == nil) != (class == -1) {
		t.Errorf("the second time: %v", err)
	}
	connections, _, _ := server.state()
	if (connections == 1) != kept {
		t.Errorf("%d connections for two messages", connections)
	}
	_ = c.Close()
	eventually(t, "all connections are closed", func() bool { _, open, _ := server.state(); return open == 0 })
}

// A server that goes on although it has refused the recipient waits for a message. It gets none, and nothing else is said to
// it: it would be taken for the message.
func TestARefusedRecipientGetsNoMessage(t *testing.T) {
	server := newScripted(t, map[string][]string{"EHLO": {pipelining}, "RCPT": {"550 5.1.1 no such user", "ok"}, "DATA": {"ok"}})
	c := smtpTo(t, server.port())
	_, err := c.Send(t.Context(), letterTo(t, "nobody@example.com"))
	checkSend(t, err, notify.ClassPermanent, "rcpt", 550)
	if _, err := c.Send(t.Context(), letterTo(t, "team@example.com")); err != nil {
		t.Error(err)
	}
	if connections, _, messages := server.state(); connections != 2 || messages != 1 || server.count("RSET") != 0 {
		t.Errorf("%d connections, %d messages, %d RSET", connections, messages, server.count("RSET"))
	}
}

func checkSend(t *testing.T, err error, class notify.Class, stage string, code int) {
	t.Helper()
	if class == -1 {
		if err != nil {
			t.Errorf("not taken: %v", err)
		}
		return
	}
	var failed *notify.SendError
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	if failed.Class != class || failed.Stage != stage || failed.Code != code {
		t.Errorf("got %v at %s with %d (%v), want %v at %s with %d", failed.Class, failed.Stage, failed.Code, failed, class, stage, code)
	}
}

func TestNothingListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	_, err = smtpTo(t, port).Send(t.Context(), letterTo(t, "team@example.com"))
	checkSend(t, err, notify.ClassDown, "dial", 0)
}

func TestFailedDialsLeakNoConnection(t *testing.T) {
	for name, script := range map[string]map[string][]string{
		"no STARTTLS": {}, "STARTTLS refused": {"EHLO": {"250-x\r\n250 STARTTLS"}, "STARTTLS": {"454 4.7.0 later"}},
		"greeting refused": {"CONNECT": {"554 no"}}, "EHLO refused": {"EHLO": {"500 no"}, "HELO": {"500 no"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := newScripted(t, script)
			c := smtpTo(t, server.port(), func(s *notify.SMTPSettings) { s.TLS = notify.TLSStartTLS })
			m := letterTo(t, "team@example.com")
			for range 20 {
				_, err := c.Send(t.Context(), m)
				if err == nil {
					t.Fatal("sent in clear text")
				}
			}
			eventually(t, "all connections are closed", func() bool { _, open, _ := server.state(); return open == 0 })
		})
	}
}

func TestAKeptConnectionThatTheServerGaveUpCostsNothing(t *testing.T) {
	for _, answer := range []string{"drop", "421 4.4.2 timeout"} {
		server := newScripted(t, map[string][]string{"MAIL": {"ok", answer, "ok"}})
		c := smtpTo(t, server.port())
		for i := range 2 {
			if _, err := c.Send(t.Context(), letterTo(t, "team@example.com")); err != nil {
				t.Errorf("%s: message %d: %v", answer, i+1, err)
			}
		}
		if connections, _, messages := server.state(); connections != 2 || messages != 2 {
			t.Errorf("%s: %d messages over %d connections", answer, messages, connections)
		}
	}
}

func TestAMessageTakesFourJourneysOrTwo(t *testing.T) {
	for extensions, want := range map[string]int{"": 4, pipelining: 2} {
		script := map[string][]string{}
		if extensions != "" {
			script["EHLO"] = []string{extensions}
		}
		server := newScripted(t, script)
		c := smtpTo(t, server.port())
		for range 3 {
			if _, err := c.Send(t.Context(), letterTo(t, "team@example.com")); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "the server waits again", func() bool { server.mu.Lock(); defer server.mu.Unlock(); return server.waits >= 2+3*want })
		server.mu.Lock()
		if got := strings.Join(server.commands, " "); got != "CONNECT EHLO MAIL RCPT DATA . MAIL RCPT DATA . MAIL RCPT DATA ." {
			t.Errorf("the conversation was %s", got)
		}
		if server.waits != 2+3*want { // one for EHLO, and now
			t.Errorf("%d journeys for three messages, want %d each", server.waits-2, want)
		}
		server.mu.Unlock()
	}
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	server := newScripted(t, nil)
	c := smtpTo(t, server.port(), func(s *notify.SMTPSettings) { s.Idle = 20 * time.Millisecond })
	if _, err := c.Send(t.Context(), letterTo(t, "team@example.com")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the idle connection is closed", func() bool { _, open, _ := server.state(); return open == 0 })
	if _, err := c.Send(t.Context(), letterTo(t, "team@example.com")); err != nil {
		t.Error(err)
	}
}

func TestCancellingEndsASendAtOnce(t *testing.T) {
	for command, class := range map[string]notify.Class{"CONNECT": notify.ClassDown, "RCPT": notify.ClassRetry, ".": notify.ClassAmbiguous} {
		server := newScripted(t, map[string][]string{command: {"hang"}})
		c := smtpTo(t, server.port(), func(s *notify.SMTPSettings) { s.Timeout, s.Answer = time.Minute, time.Minute })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		m := letterTo(t, "team@example.com")
		go func() {
			_, err := c.Send(ctx, m)
			ended <- err
		}()
		eventually(t, "the server waits", func() bool { return server.count(command) > 0 })
		cancel()
		err := <-ended
		var failed *notify.SendError
		if !errors.As(err, &failed) || failed.Class != class {
			t.Errorf("%s: got %v, want the class %v", command, err, class)
		}
	}
}

func TestABadAddressNeverReachesTheServer(t *testing.T) {
	server := newScripted(t, nil)
	m := letterTo(t, "team@example.com")
	m.To = "a@example.com>\r\nRCPT TO:<evil@example.com"
	_, err := smtpTo(t, server.port()).Send(t.Context(), m)
	checkSend(t, err, notify.ClassPermanent, "address", 0)
	if connections, _, _ := server.state(); connections != 0 {
		t.Error("the server was asked")
	}
}

func TestDotsAtTheBeginningOfALineSurvive(t *testing.T) {
	server := newScripted(t, nil)
	m := letterTo(t, "team@example.com")
	m.Text = ".\n..\n.dot\n"
	if _, err := smtpTo(t, server.port()).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	server.mu.Lock()
	defer server.mu.Unlock()
	if got := strings.ReplaceAll(leaves(t, []byte(server.messages[0]))["text/plain"], "\r\n", "\n"); got != m.Text {
		t.Errorf("got %q", got)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	password := func(context.Context) (credential.Sensitive, error) { return credential.NewSensitive("x"), nil }
	for name, s := range map[string]notify.SMTPSettings{
		"no host":              {},
		"unknown tls":          {Host: "x", TLS: "maybe"},
		"a port out of range":  {Host: "x", Port: 70000},
		"a name, no password":  {Host: "x", Username: "u"},
		"everything at once":   {TLS: "maybe", Username: "u", Port: -1},
		"checking switched of": {Host: "x", Username: "u", Password: password, Roots: insecure()},
	} {
		if _, err := notify.NewSMTP(s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for tls, port := range map[notify.TLSMode]int{"": 587, notify.TLSImplicit: 465, notify.TLSNone: 25} {
		if got := (notify.SMTPSettings{Host: "x", TLS: tls}).WithDefaults().Port; got != port {
			t.Errorf("the port for %q is %d", tls, got)
		}
	}
}
