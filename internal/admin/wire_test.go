package admin_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

// FuzzDecodeCommand: a request is understood and survives being written again, or it is refused with an error that
// repeats nothing of it.
func FuzzDecodeCommand(f *testing.F) {
	for _, c := range []admin.Command{
		{Verb: admin.VerbRotate, Client: "billing", Reason: "leaked"},
		{Verb: admin.VerbSubmit, Client: "billing", Value: credential.NewSensitive(canary), Never: true},
		{Verb: admin.VerbSnooze, Client: "billing", Until: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)},
		{Verb: admin.VerbResume, Client: "billing", Resolve: credential.ResolveDiscard, SecretID: "k"},
		{Verb: admin.VerbRegister, Source: admin.SourceAdd, Clients: []credential.Client{{ID: "a", Ref: credential.Ref{"client_id": "a"}}}},
	} {
		encoded, err := admin.EncodeCommand(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded)
	}
	f.Add([]byte(`{"verb":"submit","client":"a","value":{"x":"` + canary + `"}}`))
	f.Add([]byte(`{"verb":"submit","client":"a","value":"` + canary))
	f.Add([]byte(`{"` + canary + `":1}`))
	f.Add([]byte(`{"until":"` + canary + `"}`))
	f.Add([]byte("null"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := admin.DecodeCommand(bytes.NewReader(body))
		if err != nil {
			var said *admin.Error
			if !errors.As(err, &said) || said.Class != admin.ClassWrong {
				t.Fatalf("got %T", err)
			}
			if strings.Contains(said.Why+said.Hint, "canary") {
				t.Fatalf("the error repeats the request: %s", said.Why)
			}
			return
		}
		encoded, err := admin.EncodeCommand(c)
		if err != nil {
			return // a time that JSON cannot write
		}
		again, err := admin.DecodeCommand(bytes.NewReader(encoded))
		if err != nil {
			t.Fatalf("reading it again: %v", err)
		}
		if !again.Value.Equal(c.Value) {
			t.Fatal("the value changed")
		}
		again.Value, c.Value = credential.Sensitive{}, credential.Sensitive{}
		second, err := admin.EncodeCommand(again)
		first, firstErr := admin.EncodeCommand(c)
		if err != nil || firstErr != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v %v: read %+v, then %+v", err, firstErr, c, again)
		}
	})
}

func TestEveryVerbOfTheContractIsKnown(t *testing.T) {
	for verb, c := range map[admin.Verb]admin.Command{
		admin.VerbRotate: {}, admin.VerbRollback: {}, admin.VerbApprove: {}, admin.VerbHold: {}, admin.VerbAck: {}, admin.VerbPrepare: {}, admin.VerbRemove: {},
		admin.VerbSnooze:   {Until: time.Unix(1, 0).UTC()},
		admin.VerbResume:   {Resolve: credential.ResolveAbort},
		admin.VerbSubmit:   {Value: credential.NewSensitive("v")},
		admin.VerbRegister: {Source: admin.SourceAdd},
	} {
		c.Verb = verb
		if verb != admin.VerbRegister {
			c.Client = "a"
		}
		encoded, err := admin.EncodeCommand(c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := admin.DecodeCommand(bytes.NewReader(encoded))
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: got %+v, %v", verb, got, err)
		}
	}
}
