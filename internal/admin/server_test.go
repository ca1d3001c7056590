package admin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

func TestReadersGetWhatTheStoreHolds(t *testing.T) {
	d := open(t, nil)
	rec, ok, err := d.Get(t.Context(), "billing")
	if err != nil || !ok || !reflect.DeepEqual(rec, billing()) {
		t.Errorf("got %+v, %t, %v", rec, ok, err)
	}
	if _, ok, err := d.Get(t.Context(), "nobody"); ok || err != nil {
		t.Errorf("a client that does not exist: got %t, %v", ok, err)
	}
	if list, err := d.List(t.Context(), "a", 5); err != nil || len(list) != 1 || list[0].Client.ID != "billing" {
		t.Errorf("listing after a: got %v, %v", list, err)
	}
	if list, err := d.List(t.Context(), "", 1); err != nil || len(list) != 1 || list[0].Client.ID != "a" {
		t.Errorf("listing one: got %v, %v", list, err)
	}
	if entries, err := d.History(t.Context(), "billing", 1); err != nil || len(entries) != 1 || entries[0].Seq != 2 {
		t.Errorf("history: got %v, %v", entries, err)
	}
	if w, err := d.World(t.Context()); err != nil || !reflect.DeepEqual(w, world()) {
		t.Errorf("world: got %v, %v", w, err)
	}
}

func TestReadersGetTheErrorOfTheStore(t *testing.T) {
	d := open(t, func(s *admin.Server) { s.Reader = reader{fails: errors.New("the disk is on fire")} })
	_, _, err := d.Get(t.Context(), "billing")
	var said *admin.Error
	if !errors.As(err, &said) || said.Class != admin.ClassFailed || said.Why != "the disk is on fire" {
		t.Errorf("got %v", err)
	}
}

func TestIdsMayHoldWhatMeansSomethingInAPath(t *testing.T) {
	d := open(t, nil)
	for _, id := range []string{"..", "a/b", "a?b=c", "a%2Fb", "a b", "ä"} {
		if _, err := d.Do(t.Context(), admin.Command{Verb: admin.VerbAck, Client: id}); err != nil {
			t.Errorf("%q: %v", id, err)
		}
		if got := d.actor.last(t).Client; got != id {
			t.Errorf("%q arrived as %q", id, got)
		}
		if _, ok, err := d.Get(t.Context(), id); ok || err != nil {
			t.Errorf("%q: got %t, %v", id, ok, err)
		}
	}
}

func TestCommandsArriveWholeUnderThePeersName(t *testing.T) {
	d := open(t, nil)
	until := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, want := range []admin.Command{
		{Verb: admin.VerbRotate, Client: "billing", Reason: "leaked"},
		{Verb: admin.VerbResume, Client: "billing", Resolve: credential.ResolveAdopt, SecretID: "k1"},
		{Verb: admin.VerbSnooze, Client: "billing", Until: until},
		{Verb: admin.VerbSubmit, Client: "billing", Value: credential.NewSensitive("a\"<b>&ü " + canary), Expires: until},
		{Verb: admin.VerbSubmit, Client: "billing", Value: credential.NewSensitive(strings.Repeat("x", admin.MaxValue)), Never: true},
		{Verb: admin.VerbRegister, Clients: []credential.Client{billing().Client}, Source: admin.SourceImport, DryRun: true},
		{Verb: admin.VerbRegister, Clients: []credential.Client{billing().Client}, Source: admin.SourceAdd, DryRun: true, Look: true},
	} {
		sent := want
		sent.Actor = "somebody else"
		if _, err := d.Do(t.Context(), sent); err != nil {
			t.Errorf("%s: %v", want.Verb, err)
			continue
		}
		got := d.actor.last(t)
		if peer := fmt.Sprintf("uid:%d", os.Getuid()); !strings.HasPrefix(got.Actor, peer) {
			t.Errorf("%s: the actor is %q, want %s", want.Verb, got.Actor, peer)
		}
		if !got.Value.Equal(want.Value) {
			t.Errorf("%s: the value arrived changed", want.Verb)
		}
		got.Actor, got.Value, want.Value = "", credential.Sensitive{}, credential.Sensitive{}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

func TestErrorsKeepTheirClassAndHint(t *testing.T) {
	d := open(t, nil)
	for _, class := range []admin.Class{admin.ClassRefused, admin.ClassNotFound, admin.ClassWrong, admin.ClassFailed} {
		d.actor.answer = func(context.Context, admin.Command) (admin.Reply, error) {
			return admin.Reply{}, fmt.Errorf("on the way: %w", &admin.Error{Class: class, Why: "because", Hint: "do this"})
		}
		_, err := d.Do(t.Context(), admin.Command{Verb: admin.VerbHold, Client: "billing"})
		var said *admin.Error
		if !errors.As(err, &said) || *said != (admin.Error{Class: class, Why: "because", Hint: "do this"}) {
			t.Errorf("%s: got %#v", class, err)
		}
	}
}

func TestASubmittedValueIsInNoLogAndNoAnswer(t *testing.T) {
	d := open(t, nil)
	d.actor.answer = func(_ context.Context, c admin.Command) (admin.Reply, error) {
		return admin.Reply{}, fmt.Errorf("storing %v of %+v", c.Value, c)
	}
	_, err := d.Do(t.Context(), admin.Command{Verb: admin.VerbSubmit, Client: "billing", Value: credential.NewSensitive(canary)})
	if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
		t.Errorf("the error is %v", err)
	}
	if text := d.log.String(); strings.Contains(text, canary) || !strings.Contains(text, "verb=submit") {
		t.Errorf("the log is %q", text)
	}
}

// The log says what was carried out, and about whom: neither what was rejected nor what would only have been done.
func TestOnlyWhatWasCarriedOutIsLoggedAsThat(t *testing.T) {
	one := []credential.Client{{ID: "billing"}}
	rejected := []admin.Rejected{{Index: 0, What: "is registered already", Conflict: true}}
	for what, c := range map[string]struct {
		command admin.Command
		came    admin.Registered
		want    string // empty = nothing is logged
	}{
		"taken": {
			admin.Command{Clients: one},
			admin.Registered{New: 1},
			`msg="a command was carried out" verb=register client=billing actor=ACTOR new=1 changed=0 rejected=0`,
		},
		"many, some of them rejected": {
			admin.Command{Clients: []credential.Client{{ID: "a"}, {ID: "billing"}}},
			admin.Registered{New: 1, Rejected: rejected},
			`msg="a command was carried out" verb=register client="" actor=ACTOR new=1 changed=0 rejected=1`,
		},
		"rejected": {
			admin.Command{Clients: one},
			admin.Registered{Rejected: rejected},
			`msg="a command was not carried out" verb=register client=billing actor=ACTOR class=refused rejected=1`,
		},
		"rejected before it was tried": {
			admin.Command{Clients: one, DryRun: true},
			admin.Registered{Rejected: []admin.Rejected{{What: "is required"}}},
			`msg="a command was not carried out" verb=register client=billing actor=ACTOR class=wrong rejected=1`,
		},
		"a dry run": {admin.Command{Clients: one, DryRun: true}, admin.Registered{New: 1}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			d := open(t, nil)
			d.actor.answer = func(context.Context, admin.Command) (admin.Reply, error) {
				return admin.Reply{Registered: &c.came}, nil
			}
			c.command.Verb, c.command.Source = admin.VerbRegister, admin.SourceAdd
			if _, err := d.Do(t.Context(), c.command); err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(strings.TrimSpace(d.log.String()), "level=INFO ")
			if want := strings.ReplaceAll(c.want, "ACTOR", strconv.Quote(d.actor.last(t).Actor)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestBackupsArriveWholeOrNotAtAll(t *testing.T) {
	var got bytes.Buffer
	d := open(t, nil)
	if _, err := d.WriteTo(t.Context(), &got); err != nil || got.String() != "the state" {
		t.Errorf("got %q, %v", got.String(), err)
	}
	broken := open(t, func(s *admin.Server) {
		s.Copier = copier{content: strings.Repeat("half", 100_000), fails: errors.New("the disk is on fire")}
	})
	if _, err := broken.WriteTo(t.Context(), io.Discard); err == nil {
		t.Error("half a backup was taken for a whole one")
	}
	none := open(t, func(s *admin.Server) { s.Copier = nil })
	if _, err := none.WriteTo(t.Context(), io.Discard); err == nil {
		t.Error("no backup was taken for one")
	}
}

// raw sends a request that the client would not send.
func raw(t *testing.T, method, path, kind, body string) (int, string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://rotad"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func TestWrongRequestsReachNobody(t *testing.T) {
	d := open(t, nil)
	const kind = "application/json"
	for name, test := range map[string]struct {
		method, path, kind, body string
		status                   int
	}{
		"not JSON":            {"POST", "/v1/do", kind, "verb=rotate", 400},
		"another type":        {"POST", "/v1/do", "text/plain", `{"verb":"rotate","client":"a"}`, 400},
		"an unknown key":      {"POST", "/v1/do", kind, `{"verb":"rotate","client":"a","force":true}`, 400},
		"an actor":            {"POST", "/v1/do", kind, `{"verb":"rotate","client":"a","actor":"root"}`, 400},
		"two values":          {"POST", "/v1/do", kind, `{"verb":"rotate","client":"a"}{}`, 400},
		"an unknown verb":     {"POST", "/v1/do", kind, `{"verb":"reveal","client":"a"}`, 400},
		"no client":           {"POST", "/v1/do", kind, `{"verb":"rotate"}`, 400},
		"two lines of reason": {"POST", "/v1/do", kind, `{"verb":"rotate","client":"a","reason":"x\ny"}`, 400},
		"no way out":          {"POST", "/v1/do", kind, `{"verb":"resume","client":"a"}`, 400},
		"an empty value":      {"POST", "/v1/do", kind, `{"verb":"submit","client":"a","value":""}`, 400},
		"a value elsewhere":   {"POST", "/v1/do", kind, `{"verb":"rotate","client":"a","value":"` + canary + `"}`, 400},
		"a value of no text":  {"POST", "/v1/do", kind, `{"verb":"submit","client":"a","value":["` + canary + `"]}`, 400},
		"a broken value":      {"POST", "/v1/do", kind, `{"verb":"submit","client":"a","value":"\ud800` + canary + `"}`, 400},
		"a huge value":        {"POST", "/v1/do", kind, `{"verb":"submit","client":"a","value":"` + strings.Repeat("x", admin.MaxValue+1) + `"}`, 400},
		"a huge body":         {"POST", "/v1/do", kind, strings.Repeat(" ", admin.MaxBody+1), 400},
		"no source":           {"POST", "/v1/do", kind, `{"verb":"register","clients":[{"id":"a"}]}`, 400},
		"reading by POST":     {"POST", "/v1/clients", kind, `{}`, 405},
		"doing by GET":        {"GET", "/v1/do", kind, ``, 405},
		"no number":           {"GET", "/v1/clients?n=many", kind, ``, 400},
		"another path":        {"GET", "/", kind, ``, 404},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := raw(t, test.method, test.path, test.kind, test.body)
			if status != test.status {
				t.Errorf("got %d: %s", status, answer)
			}
			if strings.Contains(answer, canary) {
				t.Errorf("the answer repeats the value: %s", answer)
			}
		})
	}
	if len(d.actor.asked) != 0 {
		t.Errorf("the actor was asked: %v", d.actor.asked)
	}
	if strings.Contains(d.log.String(), canary) {
		t.Error("the log repeats a value")
	}
}

func TestTheClientSendsNothingThatIsWrong(t *testing.T) {
	d := open(t, nil)
	_, err := d.Do(t.Context(), admin.Command{Verb: admin.VerbSnooze, Client: "billing"})
	var said *admin.Error
	if !errors.As(err, &said) || said.Class != admin.ClassWrong || len(d.actor.asked) != 0 {
		t.Errorf("got %v, asked %v", err, d.actor.asked)
	}
}

func TestWhatIsUnderWayIsFinishedBeforeServeReturns(t *testing.T) {
	d := open(t, nil)
	begun, proceed := make(chan struct{}), make(chan struct{})
	var finished atomic.Bool
	d.actor.answer = func(ctx context.Context, _ admin.Command) (admin.Reply, error) {
		close(begun)
		<-proceed
		finished.Store(true)
		return admin.Reply{}, ctx.Err() // the daemon's end does not cancel it
	}
	answered, tooEarly := make(chan error, 1), make(chan bool, 1)
	go func() {
		_, err := d.Do(t.Context(), admin.Command{Verb: admin.VerbHold, Client: "billing"})
		answered <- err
	}()
	go func() {
		if err := <-d.ended; err != nil {
			t.Errorf("the server has ended with %v", err)
		}
		tooEarly <- !finished.Load()
	}()
	select {
	case <-begun:
	case err := <-answered:
		t.Fatalf("the command never reached the actor: %v", err)
	}
	d.stop()
	for _, err := os.Lstat(socket); err == nil; _, err = os.Lstat(socket) { // until nobody is let in any more
		runtime.Gosched()
	}
	close(proceed)
	if err := <-answered; err != nil {
		t.Errorf("the command was answered with %v", err)
	}
	if <-tooEarly {
		t.Error("the server has ended before what was under way")
	}
	if _, err := d.World(t.Context()); !errors.Is(err, admin.ErrNoDaemon) {
		t.Errorf("asking an ended daemon: %v", err)
	}
}

func TestAConsumerOnThisMachineSaysWhichVersionItRunsOn(t *testing.T) {
	d := open(t, nil)
	for body, want := range map[string]int{`{"version": 7}`: 200, `{"version": 0}`: 400, `{}`: 400, `7`: 400, "": 400} {
		d.actor.asked = nil
		status, answer := raw(t, "POST", "/v1/clients/billing%2Fapi/consumers/web", "application/x-www-form-urlencoded", body)
		if status != want || (want == 200) != (len(d.actor.asked) == 1) {
			t.Errorf("%q: %d %s, %d commands", body, status, answer, len(d.actor.asked))
		}
		if want == 200 {
			if c := d.actor.last(t); c.Verb != admin.VerbMoved || c.Client != "billing/api" || c.Consumer != "web" || c.Version != 7 || c.Actor == "" {
				t.Errorf("asked for %+v", c)
			}
		}
	}
}
