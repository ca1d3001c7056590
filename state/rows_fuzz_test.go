package state_test

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// FuzzRows reads what lies in the outbox, in the audit and in the tallies: what can be read is read the same again, the rest is refused.
func FuzzRows(f *testing.F) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)
	notice := credential.Notice{
		Seq: 1, Key: "k", Kind: credential.NoticeRotated, At: at, Client: "billing", State: credential.NoticePending,
		Facts:      credential.Facts{Provider: "corp", Hold: &credential.Hold{Code: credential.HoldByPerson}, Labels: map[string]string{"a": "b"}},
		Deliveries: []credential.Delivery{{Channel: "smtp", To: "a@example.com", Next: at}}, Calendar: &credential.Invite{UID: "u", At: at},
	}
	audit := credential.Audit{Seq: 2, At: at, Client: "billing", Event: credential.EventRevoking, Secret: "k1"}
	tally := credential.Tally{Day: at, Creates: 3, Wave: credential.Wave{
		ID: "w", Began: at, Waiting: 2, Failed: 1, Failure: &credential.WaveFailure{At: at, Client: "billing", Code: "unauthorized"},
	}}
	for i, encode := range []func() ([]byte, error){
		func() ([]byte, error) { return state.Encode(&notice) }, func() ([]byte, error) { return state.Encode(&audit) },
		func() ([]byte, error) { return state.Encode(&tally) },
	} {
		row, err := encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), row)
		f.Add(uint8(i), row[:len(row)/2])
		f.Add(uint8(i+1), row)
	}
	f.Add(uint8(0), []byte{0xbf, 0xff})
	f.Add(uint8(1), []byte{0xa1, 0x61, 'k', 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, kind uint8, row []byte) {
		switch kind % 3 {
		case 0:
			readAgain[credential.Notice](t, row)
		case 1:
			readAgain[credential.Audit](t, row)
		default:
			readAgain[credential.Tally](t, row)
		}
	})
}

// readAgain compares what is written for both readings. A time may come as a number, which no rotad writes, and has another
// zone in memory then.
func readAgain[T state.Stored](t *testing.T, row []byte) {
	t.Helper()
	first, err := state.Decode[T](row)
	if err != nil {
		return
	}
	once, err := state.Encode(&first)
	if err != nil {
		return // a time that no rotad writes
	}
	second, err := state.Decode[T](once)
	if err != nil {
		t.Fatalf("what was read and written is refused: %v\n%+v", err, first)
	}
	twice, err := state.Encode(&second)
	if err != nil || !bytes.Equal(once, twice) {
		t.Errorf("%v: read %+v, then %+v", err, first, second)
	}
	if third, err := state.Decode[T](twice); err != nil || !reflect.DeepEqual(second, third) {
		t.Errorf("%v: read %+v, then %+v", err, second, third)
	}
}
