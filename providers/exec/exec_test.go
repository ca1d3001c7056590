package exec

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

const (
	made     = `{"protocol":1,"issued":{"bundle":{"client_id":"billing","client_secret":"the-new-secret-value"},"secret":{"id":"n1"}}}`
	rejected = `{"protocol":1,"error":{"class":"rejected","message":"the realm is read-only"}}`
	seen     = `{"protocol":1,"snapshot":{"capabilities":{"mode":"two-slot","reason":"it says so"},"client_id":"billing","secrets":[]}}`
)

// scripted is the kind with a program that does what the settings say. Its log goes to the buffer.
func scripted(t *testing.T, settings map[string]string, change func(*Settings)) (*provider, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	s := Settings{
		ProgramFile: programFile, Environment: map[string]string{asProgram: script, quickExit: "atexit_sleep_ms=0"}, Settings: settings,
		CredentialFile: "/run/secrets/portal",
	}
	if change != nil {
		change(&s)
	}
	p, err := Kind().Open(providers.Opening{
		Name: "portal", Settings: &s, Log: slog.New(slog.NewTextHandler(log, nil)),
		Secret: func(string) (string, error) { return ownSecret + "\n", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*provider), log
}

func says(stdout string, more ...string) map[string]string {
	s := map[string]string{"stdout": stdout}
	for i := 0; i+1 < len(more); i += 2 {
		s[more[i]] = more[i+1]
	}
	return s
}

// What may be concluded from how a program ended and from what it wrote.
func TestWhatIsConcludedFromACreate(t *testing.T) {
	fault := func(members string) string { return `{"protocol":1,"error":{` + members + `}}` }
	const kept, lost = true, false
	for name, test := range map[string]struct {
		settings map[string]string
		class    providers.Class
		raw      bool
	}{
		"a whole reply":                      {says(made), "", lost},
		"a whole reply, then exit code 3":    {says(made, "exit", "3"), "", lost},
		"a whole reply, then a crash":        {says(made, "then", "die"), "", lost},
		"a member that nobody knows":         {says(strings.Replace(made, `"issued"`, `"extra":1,"issued"`, 1)), "", lost},
		"a date that is none":                {says(strings.Replace(made, `"n1"`, `"n1","expires":"soon"`, 1)), "", lost},
		"nothing, exit code 0":               {says(""), providers.ClassIndeterminate, lost},
		"nothing, exit code 1":               {says("", "exit", "1"), providers.ClassIndeterminate, lost},
		"nothing, a crash":                   {says("", "then", "die"), providers.ClassIndeterminate, lost},
		"a refusal":                          {says(rejected), providers.ClassRejected, lost},
		"a refusal, then exit code 1":        {says(rejected, "exit", "1"), providers.ClassRejected, lost},
		"a refusal, then exit code 2":        {says(rejected, "exit", "2"), providers.ClassIndeterminate, lost},
		"a refusal, then a crash":            {says(rejected, "then", "die"), providers.ClassIndeterminate, lost},
		"half a reply":                       {says(made[:60]), providers.ClassNotUnderstood, kept},
		"half a reply, exit code 1":          {says(made[:60], "exit", "1"), providers.ClassNotUnderstood, kept},
		"another version":                    {says(strings.Replace(made, "1", "2", 1)), providers.ClassNotUnderstood, kept},
		"no version":                         {says(strings.Replace(made, `"protocol":1,`, "", 1)), providers.ClassNotUnderstood, kept},
		"two replies":                        {says(made + made), providers.ClassNotUnderstood, kept},
		"an error and a value":               {says(strings.Replace(made, `"issued"`, `"error":{"class":"rejected"},"issued"`, 1)), providers.ClassNotUnderstood, kept},
		"the answer to another question":     {says(seen), providers.ClassNotUnderstood, kept},
		"an empty bundle":                    {says(`{"protocol":1,"issued":{"bundle":{}}}`), providers.ClassNotUnderstood, kept},
		"an empty value":                     {says(`{"protocol":1,"issued":{"bundle":{"client_secret":""}}}`), providers.ClassNotUnderstood, kept},
		"a class that nobody knows":          {says(fault(`"class":"oops"`)), providers.ClassIndeterminate, lost},
		"a class of the wrong type":          {says(fault(`"class":7`)), providers.ClassIndeterminate, lost},
		"a wait of the wrong type":           {says(fault(`"class":"throttled","retry_after":"7"`)), providers.ClassThrottled, lost},
		"an unknown outcome":                 {says(fault(`"class":"indeterminate"`)), providers.ClassIndeterminate, lost},
		"the provider's reply was not read":  {says(fault(`"class":"not-understood","raw":"<html>"`)), providers.ClassNotUnderstood, kept},
		"the same without the reply":         {says(fault(`"class":"not-understood"`)), providers.ClassNotUnderstood, kept},
		"more than four megabytes":           {says("0123456789abcdef", "repeat", "300000"), providers.ClassNotUnderstood, kept},
		"more and more":                      {says("", "then", "pour"), providers.ClassNotUnderstood, kept},
		"megabytes on stderr beside a reply": {says("", "stderr", "0123456789abcdef", "repeat", "300000"), providers.ClassIndeterminate, lost},
		"text in front of the reply":         {says("hello\n" + made), providers.ClassNotUnderstood, kept},
		"white space around the reply":       {says("\n\n " + made + "\n\n"), "", lost},
		"an id that is the name of a slot":   {says(strings.Replace(made, "n1", "current", 1)), "", lost},
		"a refusal that says nothing at all": {says(fault("")), providers.ClassIndeterminate, lost},
		"a reply that is a list":             {says("[" + made + "]"), providers.ClassNotUnderstood, kept},
		"not found":                          {says(fault(`"class":"not-found"`)), providers.ClassNotFound, lost},
		"unavailable: nothing was sent":      {says(fault(`"class":"unavailable"`)), providers.ClassUnavailable, lost},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := scripted(t, test.settings, nil)
			issued, err := p.Create(t.Context(), clientBy("client_id", "billing"), providers.Request{Label: "rotad-1"})
			if got := providers.ClassOf(err); got != test.class || issued.Raw.Empty() == test.raw {
				t.Errorf("class %q, want %q; raw kept %t, want %t (%v)", got, test.class, !issued.Raw.Empty(), test.raw, err)
			}
			if ok := issued.Bundle.Secret().Reveal() == "the-new-secret-value"; ok != (test.class == "") {
				t.Errorf("the value came: %t", ok)
			}
			if issued.Secret.ID == providers.SlotCurrent || test.class == "" && !strings.Contains(name, "slot") && issued.Secret.ID != "n1" {
				t.Errorf("id %q", issued.Secret.ID)
			}
		})
	}
}

// What is only read is believed less: a program that did not end well, or that says more than the protocol knows, has
// proved nothing.
func TestWhatIsConcludedFromARead(t *testing.T) {
	for name, test := range map[string]struct {
		settings map[string]string
		class    providers.Class
	}{
		"a whole reply":                   {says(seen), ""},
		"a whole reply, then exit code 1": {says(seen, "exit", "1"), providers.ClassUnavailable},
		"a whole reply, then a crash":     {says(seen, "then", "die"), providers.ClassUnavailable},
		"nothing":                         {says(""), providers.ClassUnavailable},
		"a refusal, exit code 1":          {says(rejected, "exit", "1"), providers.ClassRejected},
		"another version":                 {says(strings.Replace(seen, "1", "2", 1)), providers.ClassUnsupported},
		"an unknown member":               {says(strings.Replace(seen, `"mode"`, `"mod":1,"mode"`, 1)), providers.ClassUnavailable},
		"an unknown mode":                 {says(strings.Replace(seen, "two-slot", "three-slot", 1)), providers.ClassUnavailable},
		"no reason":                       {says(strings.Replace(seen, "it says so", "", 1)), providers.ClassUnavailable},
		"a slot as an id":                 {says(strings.Replace(seen, "[]", `[{"id":"previous"}]`, 1)), providers.ClassUnavailable},
		"an id twice":                     {says(strings.Replace(seen, "[]", `[{"id":"a"},{"id":"a"}]`, 1)), providers.ClassUnavailable},
		"a date that is none":             {says(strings.Replace(seen, "[]", `[{"id":"a","start":"soon"}]`, 1)), providers.ClassUnavailable},
		"an outcome that no read can have": {
			says(`{"protocol":1,"error":{"class":"indeterminate"}}`), providers.ClassUnavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := scripted(t, test.settings, nil)
			got, err := p.Inspect(t.Context(), clientBy("client_id", "billing"))
			if class := providers.ClassOf(err); class != test.class || (got.Caps.Mode == credential.ModeTwoSlot) != (class == "") {
				t.Errorf("class %q, want %q: %+v (%v)", class, test.class, got, err)
			}
		})
	}
}

func TestVerifyAndRevokeNeedAClearAnswer(t *testing.T) {
	for stdout, want := range map[string]providers.Answer{
		`{"protocol":1,"answer":"accepted"}`: providers.Accepted, `{"protocol":1,"answer":"refused"}`: providers.Refused,
		`{"protocol":1,"answer":"yes"}`: providers.Unknown, `{"protocol":1}`: providers.Unknown, made: providers.Unknown,
	} {
		p, _ := scripted(t, says(stdout), nil)
		got, err := p.Verify(t.Context(), clientBy("client_id", "billing"), bundle("billing", firstSecret))
		if got != want || (err != nil) != (want == providers.Unknown) {
			t.Errorf("%s: %s (%v)", stdout, got, err)
		}
	}
	for stdout, want := range map[string]providers.Class{
		`{"protocol":1,"revoked":true}`: "", `{"protocol":1}`: providers.ClassIndeterminate,
		`{"protocol":1,"revoked":false}`: providers.ClassIndeterminate, "": providers.ClassIndeterminate,
		`{"protocol":1,"error":{"class":"conflict"}}`: providers.ClassConflict,
	} {
		p, _ := scripted(t, says(stdout), nil)
		if err := p.Revoke(t.Context(), clientBy("client_id", "billing"), "k1"); providers.ClassOf(err) != want {
			t.Errorf("%s: %v, want class %q", stdout, err, want)
		}
	}
}

// knocks is where programs knock: it shows that they run, and by the end of the connection that they do not any more.
func knocks(t *testing.T) (address string, next func() net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String(), func() net.Conn {
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
			return nil
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
}

func mustEnd(t *testing.T, conn net.Conn) {
	t.Helper()
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d bytes, error %v", n, err)
	}
}

func TestTheWholeGroupIsEnded(t *testing.T) {
	address, next := knocks(t)
	p, _ := scripted(t, says("", "then", "deaf", "knock", address), func(s *Settings) { s.KillAfter = 50 * time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := p.Create(ctx, clientBy("client_id", "billing"), providers.Request{})
		ended <- err
	}()
	grandchild, program := next(), next()
	cancel()
	if err := <-ended; providers.ClassOf(err) != providers.ClassIndeterminate || !strings.Contains(err.Error(), "was ended") {
		t.Error(err)
	}
	mustEnd(t, program)
	mustEnd(t, grandchild)
}

func TestAValueThatComesWhileTheProgramIsEndedIsKept(t *testing.T) {
	address, next := knocks(t)
	p, _ := scripted(t, says("", "then", "finish", "knock", address, "last", made), nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		next()
		cancel()
	}()
	issued, err := p.Create(ctx, clientBy("client_id", "billing"), providers.Request{})
	if err != nil || issued.Bundle.Secret().Empty() {
		t.Errorf("%v", err)
	}
}

func TestTheDeadlineIsKept(t *testing.T) {
	address, next := knocks(t)
	p, _ := scripted(t, says(rejected, "then", "hang", "knock", address), nil)
	p.deadline, p.settings.Timeout = 400*time.Millisecond, 400*time.Millisecond
	_, err := p.Create(t.Context(), clientBy("client_id", "billing"), providers.Request{})
	if providers.ClassOf(err) != providers.ClassIndeterminate || !strings.Contains(err.Error(), errDeadline.Error()) {
		t.Errorf("a create: %v", err)
	}
	_, err = p.Inspect(t.Context(), clientBy("client_id", "billing"))
	if providers.ClassOf(err) != providers.ClassUnavailable || !strings.Contains(err.Error(), errDeadline.Error()) {
		t.Errorf("a read: %v", err)
	}
	_ = next
	if got := p.Timing(); got.Deadline != p.deadline+defaultKillAfter || got.Propagation != defaultPropagation {
		t.Errorf("%+v: a deaf program can change something until SIGKILL", got)
	}
}

func TestWhatAProgramLeavesBehindIsEnded(t *testing.T) {
	address, next := knocks(t)
	p, _ := scripted(t, says(seen, "then", "leave", "knock", address), nil)
	if _, err := p.Inspect(t.Context(), clientBy("client_id", "billing")); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, next())
}

func TestAProcessThatLeftTheGroupHoldsNobodyUp(t *testing.T) {
	address, next := knocks(t)
	p, _ := scripted(t, says(seen, "then", "escape", "knock", address), nil)
	if _, err := p.Inspect(t.Context(), clientBy("client_id", "billing")); err != nil {
		t.Fatal(err)
	}
	next() // still there; it ends when the test hangs up
}

// Everything that a program gets but the call is what the settings name.
func TestTheProgramGetsNothingButTheCall(t *testing.T) {
	t.Setenv("ROTAD_AMBIENT", "x")
	dir := t.TempDir()
	want := "LANG=C.UTF-8 " + asProgram + "=script " + dir
	p, _ := scripted(t, says(`{"protocol":1,"error":{"class":"rejected","message":"as it should be: {surroundings}"}}`, "want", want),
		func(s *Settings) {
			s.Directory = dir
			s.Environment = map[string]string{asProgram: script, "LANG": "C.UTF-8"}
		})
	_, err := p.Inspect(t.Context(), clientBy("client_id", "billing"))
	if err == nil || !strings.Contains(err.Error(), "as it should be: true") {
		t.Errorf("%v, want %s", err, want)
	}
	p.settings.Environment = nil
	if env := p.command().Env; env == nil || len(env) > 0 {
		t.Errorf("the environment is %v, and nil would be that of rotad", env)
	}
}

func TestTheCredentialIsOnStdinAlone(t *testing.T) {
	p, log := scripted(t, says(`{"protocol":1,"error":{"class":"rejected","message":"{credential} {bundle}"}}`, "stderr", "got {call}"), nil)
	_, err := p.Verify(t.Context(), clientBy("client_id", "billing"), bundle("billing", firstSecret))
	if err == nil {
		t.Fatal("no error")
	}
	for _, value := range []string{ownSecret, firstSecret} {
		if strings.Contains(err.Error()+log.String(), value) {
			t.Errorf("a value is in the error or the log: %v %s", err, log)
		}
	}
	p.deadline = 7 * time.Second
	if _, err = p.Create(t.Context(), clientBy("client_id", "billing"), providers.Request{}); !strings.Contains(log.String(), "'timeout':7,") {
		t.Errorf("a create has the time of a read: %v %s", err, log)
	}
	if !strings.Contains(log.String(), "'timeout':20,") || !strings.Contains(log.String(), "'credential':'[redacted]'") || !strings.Contains(log.String(), "billing") {
		t.Errorf("the log: %s", log)
	}
}

func TestNoCredentialIsNoLogin(t *testing.T) {
	p, _ := scripted(t, says(seen), nil)
	p.secret = func(string) (string, error) { return "", os.ErrNotExist }
	_, err := p.Create(t.Context(), clientBy("client_id", "billing"), providers.Request{})
	if providers.ClassOf(err) != providers.ClassAuth {
		t.Error(err)
	}
	p.settings.CredentialFile = ""
	if _, err = p.Inspect(t.Context(), clientBy("client_id", "billing")); err != nil {
		t.Errorf("none is needed: %v", err)
	}
}

// A program is looked at before every call: it may have been changed since the start.
func TestAProgramThatCannotBeStartedHasDoneNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/nowhere/interpreter\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	p, _ := scripted(t, nil, func(s *Settings) { s.ProgramFile = path })
	create := func(why string) {
		t.Helper()
		why = "not started: " + why
		_, err := p.Create(t.Context(), clientBy("client_id", "billing"), providers.Request{})
		if providers.ClassOf(err) != providers.ClassUnavailable || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
	}
	create("no such file or directory")
	if err := os.Chmod(path, 0o722); err != nil {
		t.Fatal(err)
	}
	create(errWritable.Error())
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	create("no such file or directory")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, _ = scripted(t, says(made), nil)
	if _, err := p.Create(ctx, clientBy("client_id", "billing"), providers.Request{}); providers.ClassOf(err) != providers.ClassUnavailable {
		t.Errorf("nobody waits: %v", err)
	}
}

func TestALargeCallIsWrittenToAProgramThatReadsNothing(t *testing.T) {
	p, _ := scripted(t, map[string]string{"big": strings.Repeat("x", 1<<20)}, func(s *Settings) { s.Environment[asProgram] = "reads nothing" })
	_, err := p.Create(t.Context(), clientBy("client_id", "billing"), providers.Request{})
	if providers.ClassOf(err) != providers.ClassIndeterminate {
		t.Error(err)
	}
}

func TestAKeptReplyOfTheProgramIsReadAgain(t *testing.T) {
	p, _ := scripted(t, says(made), nil)
	for raw, want := range map[string]providers.Class{made: "", "<html>": ""} { // the second by the mended program
		got, err := p.Decode(clientBy("client_id", "billing"), credential.NewSensitive(raw))
		if providers.ClassOf(err) != want || got.Bundle.Secret().Empty() {
			t.Errorf("%s: %v", raw, err)
		}
	}
	p, _ = scripted(t, says("?"), nil)
	if _, err := p.Decode(clientBy("client_id", "billing"), credential.NewSensitive("<html>")); providers.ClassOf(err) != providers.ClassNotUnderstood {
		t.Error(err)
	}
}

func TestCheckAsksTheProgramWhatItIs(t *testing.T) {
	describe := func(operations string) string {
		return `{"protocol":1,"describe":{"name":"x","operations":[` + operations + `]}}`
	}
	for stdout, want := range map[string][]bool{ // whether each finding is a problem
		describe(`"describe","inspect","create","verify","revoke"`): nil,
		describe(`"describe","inspect","create","verify"`):          {false},
		describe(`"inspect","create","revoke"`):                     {true, true},
		seen:                                                        {true},
		"":                                                          {true},
		strings.Replace(describe(""), "1", "9", 1):                          {true},
		describe(`"describe","inspect","create","verify","revoke","check"`): {true}, // it answers check with describe
	} {
		p, _ := scripted(t, says(stdout), nil)
		var got []bool
		for _, f := range p.Check(t.Context()) {
			got = append(got, f.Problem)
			if f.What == "" || f.Hint == "" {
				t.Errorf("%s: %+v says too little", stdout, f)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", stdout, got, want)
		}
	}
}
