package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// tape answers requests from a recording, in its order.
type tape struct {
	mu    sync.Mutex
	calls []exchange
	login string // rotad's own login, which is not recorded
	next  int
	err   error
}

// RoundTrip implements http.RoundTripper.
func (t *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.login != "" && r.URL.String() == t.login {
		return reply(r, exchange{Answer: map[string]any{"access_token": "recorded", "expires_in": 60}})
	}
	if t.next >= len(t.calls) {
		t.fail(fmt.Errorf("%w: %s %s is sent, which is not recorded", errDiffers, r.Method, r.URL))
		return nil, t.err
	}
	want := t.calls[t.next]
	t.next++
	if err := want.same(r); err != nil {
		t.fail(fmt.Errorf("call %d: %w", t.next, err))
		return nil, t.err
	}
	return reply(r, want)
}

func (t *tape) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// result says what went wrong on the way, or that a recorded call was not made.
func (t *tape) result() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil && t.next < len(t.calls) {
		return fmt.Errorf("%w: call %d is not made", errDiffers, t.next+1)
	}
	return t.err
}

// same compares a request with the recorded one. What differs is named; values of bodies are not.
func (e exchange) same(r *http.Request) error {
	if got := r.Method + " " + r.URL.String(); got != e.Request {
		return fmt.Errorf("%w: %s is sent, %s is recorded", errDiffers, got, e.Request)
	}
	for name, want := range e.Headers {
		if r.Header.Get(name) != want {
			return fmt.Errorf("%w: the header %s is another one than recorded", errDiffers, name)
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	if e.Form != nil {
		return e.sameForm(string(body))
	}
	if e.JSON == nil {
		if len(body) > 0 && r.Header.Get("Content-Type") == "application/json" {
			return fmt.Errorf("%w: a body is sent, and none is recorded", errDiffers)
		}
		return nil
	}
	return e.sameJSON(body)
}

func (e exchange) sameForm(body string) error {
	got, err := url.ParseQuery(body)
	if err != nil {
		return fmt.Errorf("%w: the body is no form", errDiffers)
	}
	for name := range got {
		if _, ok := e.Form[name]; !ok {
			return fmt.Errorf("%w: the form has %s, which is not recorded", errDiffers, name)
		}
	}
	for name, want := range e.Form {
		if got.Get(name) != want {
			return fmt.Errorf("%w: %s of the form is another one than recorded", errDiffers, name)
		}
	}
	return nil
}

func (e exchange) sameJSON(body []byte) error {
	recorded, err := json.Marshal(e.JSON)
	if err != nil {
		return fmt.Errorf("%w: the recorded body is no JSON", errDiffers)
	}
	var got, want any
	if json.Unmarshal(body, &got) != nil || json.Unmarshal(recorded, &want) != nil || !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%w: the body is another one than recorded", errDiffers)
	}
	return nil
}

func reply(r *http.Request, e exchange) (*http.Response, error) {
	body := []byte(e.Text)
	header := http.Header{"Content-Type": {"text/plain"}}
	if e.Text == "" && e.Answer != nil {
		var err error
		if body, err = json.Marshal(e.Answer); err != nil {
			return nil, fmt.Errorf("writing the recorded answer: %w", err)
		}
		header.Set("Content-Type", "application/json")
	}
	if e.Link != "" {
		header.Set("Link", e.Link)
	}
	if !e.Date.IsZero() {
		header.Set("Date", e.Date.UTC().Format(http.TimeFormat))
	}
	status := e.Status
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

var errDiffers = errors.New("not as recorded")

// failed compares an error's class.
func (e expectation) failed(err error) error {
	if got := string(providers.ClassOf(err)); got != e.Class {
		return fmt.Errorf("%w: the class of the error is %q, want %q (%s)", errDiffers, got, e.Class, words(err))
	}
	return nil
}

func words(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

func (e expectation) inspected(s providers.Snapshot, err error) error {
	if err = e.failed(err); err != nil || e.Class != "" {
		return err
	}
	for _, one := range []struct{ what, got, want string }{
		{"client_id", s.ClientID, e.ClientID},
		{"grace", s.Caps.Grace.String(), e.Grace},
		{"required", written(formatTime(s.Caps.Required, "")), e.Required},
	} {
		if one.want != "" && one.got != one.want {
			return fmt.Errorf("%w: %s is %q, want %q", errDiffers, one.what, one.got, one.want)
		}
	}
	if e.Secrets == nil {
		return nil
	}
	var got []expected
	for _, secret := range s.Secrets {
		got = append(got, expect(secret))
	}
	if len(got) != len(*e.Secrets) {
		return fmt.Errorf("%w: %d secrets are read, want %d", errDiffers, len(got), len(*e.Secrets))
	}
	for i, want := range *e.Secrets {
		if !reflect.DeepEqual(got[i], want) {
			return fmt.Errorf("%w: secret %d is read as %s, want %s", errDiffers, i+1, got[i], want)
		}
	}
	return nil
}

func (e expectation) listed(page providers.Page, err error) error {
	if err = e.failed(err); err != nil || e.Class != "" {
		return err
	}
	var got []client
	for _, c := range page.Clients {
		got = append(got, client{
			Ref: c.Ref, ClientID: c.Snapshot.ClientID, Name: c.Name, Owners: c.Owners, Tags: c.Tags, Created: written(formatTime(c.Created, "")),
			Secrets: len(c.Snapshot.Secrets), Unusable: c.Unusable != "",
		})
	}
	switch {
	case page.Next != e.Next:
		return fmt.Errorf("%w: the next page is %q, want %q", errDiffers, page.Next, e.Next)
	case !reflect.DeepEqual(got, e.Clients):
		return fmt.Errorf("%w: the clients are read as %+v, want %+v", errDiffers, got, e.Clients)
	}
	return nil
}

// String writes a secret without its bundle.
func (e expected) String() string {
	return strings.TrimSpace(fmt.Sprintf("{id: %q, slot: %q, start: %q, expires: %q, never: %t, label: %q, last_use: %q, old_dies: %q}",
		e.ID, e.Slot, e.Start, e.Expires, e.Never, e.Label, e.LastUse, e.OldDies))
}

func (e expectation) issued(got providers.Issued, err error) error {
	if err = e.failed(err); err != nil || e.Issued == nil {
		return err
	}
	read := expect(got.Secret)
	read.OldDies = written(formatTime(got.OldDies, ""))
	want := *e.Issued
	for name, value := range want.Bundle {
		if got.Bundle[name].Reveal() != value {
			return fmt.Errorf("%w: the field %s of the bundle is another one than recorded", errDiffers, name)
		}
	}
	want.Bundle = nil
	if !reflect.DeepEqual(read, want) {
		return fmt.Errorf("%w: the new secret is read as %s, want %s", errDiffers, read, want)
	}
	return nil
}

func expect(s credential.Secret) expected {
	return expected{
		ID: s.ID, Slot: s.Slot, Start: written(formatTime(s.Start, "")), Expires: written(formatTime(s.Expires, "")),
		Never: s.Never, Label: s.Label, LastUse: written(formatTime(s.LastUse, "")),
	}
}
