package state_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

func sample() credential.Record {
	at := time.Date(2026, 5, 6, 7, 8, 9, 123456000, time.UTC)
	client := credential.Client{
		ID: "billing-api", Provider: "corp", Ref: credential.Ref{"client_id": "billing", "realm": "r"}, Owner: "payments",
		Policy: "default", Vault: credential.VaultPath{Mount: "secret", Path: "apps/billing", Fields: map[string]string{"a": "B"}},
		Labels: map[string]string{"z": "1", "a": "2"}, Source: "clients.yaml:7",
	}
	return credential.Record{
		Client: client, Rev: 7, Since: at, Sight: credential.SightAdopted,
		Current: credential.Secret{ID: "k1", Start: at, Expires: at.Add(90 * 24 * time.Hour), Hint: "abc"},
		Caps:    credential.Capabilities{Mode: credential.ModeTwoSlot, Slots: 2, Labels: true},
		Looked:  at, NextLook: at.Add(time.Hour), Due: at.Add(time.Hour), DueFor: "look",
		Rotation: &credential.Rotation{
			ID: "r1", Attempt: 1, Phase: credential.PhaseIntent, Since: at, Client: client, Started: at,
			Before:    []credential.Secret{{ID: "k1"}},
			Unsettled: &credential.Moment{At: at, Boot: "b", Elapsed: 3 * time.Second},
		},
		Hold:    &credential.Hold{Code: credential.HoldSecretLost, Since: at, Detail: "d"},
		Cleanup: &credential.Cleanup{Staging: []int{1, 2}},
	}
}

func TestRecordIsReadAsItWasWritten(t *testing.T) {
	want := sample()
	b, err := state.Encode(&want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := state.Decode[credential.Record](b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEqualRecordsHaveEqualBytes(t *testing.T) {
	whole := sample()
	first, err := state.Encode(&whole)
	if err != nil {
		t.Fatal(err)
	}
	local := sample()
	local.Since = local.Since.In(time.FixedZone("x", 3600)) // the same moment, told in another zone
	for range 20 {
		again, err := state.Encode(&local)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Fatal("the bytes differ")
		}
	}
}

func TestEmptyFieldsTakeNoSpace(t *testing.T) {
	b, err := state.Encode(&credential.Record{Client: credential.Client{ID: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, absent := range []string{"rotation", "calendar", "caps", "due", "told", "vault"} {
		if bytes.Contains(b, []byte(absent)) {
			t.Errorf("the empty field %q was written", absent)
		}
	}
}

func TestWhatCannotBeReadBackIsNotWritten(t *testing.T) {
	late := time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)
	for where, spoil := range map[string]func(*credential.Record){
		"a field":          func(r *credential.Record) { r.Due = late },
		"a nested field":   func(r *credential.Record) { r.Current.Expires = late },
		"behind a pointer": func(r *credential.Record) { r.Hold.Deadline = late },
		"in a list":        func(r *credential.Record) { r.Rotation.Before[0].Start = late },
		"deep down":        func(r *credential.Record) { r.Rotation.Unsettled.At = late.AddDate(-20000, 0, 0) },
	} {
		r := sample()
		spoil(&r)
		if _, err := state.Encode(&r); !errors.Is(err, state.ErrInvalid) {
			t.Errorf("a time outside the years 0 to 9999 in %s: got %v, want ErrInvalid", where, err)
		}
	}
}

func TestBytesThatAreNotTextAreKept(t *testing.T) {
	r := sample()
	r.Backoff.Error = "bad \xff byte"
	b, err := state.Encode(&r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := state.Decode[credential.Record](b)
	if err != nil || got.Backoff.Error != r.Backoff.Error {
		t.Errorf("got %q, %v", got.Backoff.Error, err)
	}
}

func TestUnknownFieldIsRefused(t *testing.T) {
	b, err := state.Encode(&credential.Notice{Key: "k"}) // has fields that an audit entry has not
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.Decode[credential.Audit](b); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

// A notice that stands somewhere else than it says would be told twice, or never.
func TestTheStandingOfANoticeIsThatOfTheNotice(t *testing.T) {
	due := time.Date(2026, 12, 6, 9, 0, 0, 1, time.UTC)
	for _, n := range []credential.Notice{
		{},
		{Key: "worker|warning|14d", Kind: "warning", Client: "worker", State: credential.NoticePending, Due: due, At: due.Add(-time.Hour), Facts: credential.Facts{Expires: due}},
		{Key: "k", State: credential.NoticeSent, Deliveries: []credential.Delivery{{To: "a@example.com", State: credential.NoticeDead, Error: "no"}}},
	} {
		b, err := state.Encode(&n)
		if err != nil {
			t.Fatal(err)
		}
		got, err := state.DecodeStanding(b)
		if want := (state.Standing{Key: n.Key, State: n.State, Due: n.Due}); err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	if _, err := state.DecodeStanding([]byte{0xff}); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

func TestEveryChangedByteOfAnEnvelopeIsNoticed(t *testing.T) {
	whole := state.Seal("key", []byte("pay"), []byte("load"))
	if p, err := state.Open([]byte("key"), whole); err != nil || string(p) != "payload" {
		t.Fatalf("got %q, %v", p, err)
	}
	for i := range whole {
		for bit := range 8 {
			broken := bytes.Clone(whole)
			broken[i] ^= 1 << bit
			if _, err := state.Open([]byte("key"), broken); !errors.Is(err, state.ErrCorrupt) {
				t.Errorf("byte %d bit %d: got %v, want ErrCorrupt", i, bit, err)
			}
		}
		if _, err := state.Open([]byte("key"), whole[:i]); !errors.Is(err, state.ErrCorrupt) {
			t.Errorf("cut to %d bytes: got %v, want ErrCorrupt", i, err)
		}
	}
}

func TestAValueBelongsToItsKey(t *testing.T) {
	if _, err := state.Open([]byte("other"), state.Seal("key", []byte("payload"))); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

func FuzzDecode(f *testing.F) {
	whole := sample()
	b, err := state.Encode(&whole)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state.Seal("", b))
	f.Add(state.Seal(""))
	f.Add([]byte{})
	f.Add([]byte{0x52, 1, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, value []byte) {
		payload, err := state.Open(nil, value)
		if err != nil {
			payload = value // what lies inside an envelope must not be trusted either
		}
		readAgain[credential.Record](t, payload)
	})
}

func BenchmarkEncode(b *testing.B) {
	r := sample()
	for b.Loop() {
		if _, err := state.Encode(&r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	whole := sample()
	v, err := state.Encode(&whole)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(v)), "bytes")
	for b.Loop() {
		if _, err := state.Decode[credential.Record](v); err != nil {
			b.Fatal(err)
		}
	}
}
