package vault

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

func TestDecodeSkipsWhatItDoesNotKnowAndRefusesUnknownPhases(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		ok   bool
	}{
		"key of a later version": {`{"phase":"intent","later":{"a":[1]},"bundle":{"x":1},"bundl":"y"}`, true},
		"unknown phase":          {`{"phase":"promoted"}`, false},
		"no phase":               {`{"client":"x"}`, false},
		"null phase":             {`{"phase":null}`, false},
		"phase of another type":  {`{"phase":7}`, false},
		"field of another type":  {`{"phase":"intent","attempt":"canary-x"}`, false},
		"time that is none":      {`{"phase":"intent","fenced_at":"canary-x"}`, false},
		"bundle of another type": {`{"phase":"staged","bundle.client_secret":{"canary-x":1}}`, false},
		"base64 that is none":    {`{"phase":"staged","bundle64.client_secret":"canary-x"}`, false},
		"reply that is none":     {`{"phase":"received","reply":"canary-x"}`, false},
	} {
		var data map[string]json.RawMessage
		if err := json.Unmarshal([]byte(c.data), &data); err != nil {
			t.Fatal(err)
		}
		_, err := decodeStaging(data)
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error tells a value: %v", name, err)
		}
	}
}

func TestEntryIsFlat(t *testing.T) {
	data, err := encodeStaging(credential.Staging{
		Phase: credential.StagingStaged, Bundle: credential.Bundle{"client_secret": credential.NewSensitive("s")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, raw := range data {
		if raw[0] == '{' {
			t.Errorf("%s is an object", key)
		}
	}
	if string(data["bundle.client_secret"]) != `"s"` || string(data["phase"]) != `"staged"` || len(data) != 2 {
		t.Errorf("got %s", data)
	}
}

func TestTimesThatCannotBeWrittenAreRefused(t *testing.T) {
	_, err := encodeStaging(credential.Staging{Phase: credential.StagingIntent, FencedAt: time.Unix(1<<40, 0)})
	if err == nil {
		t.Error("a year beyond 9999 was taken")
	}
}

// FuzzStagingRoundTrip asks that nothing is lost between Stage and Staging, whatever the values are.
func FuzzStagingRoundTrip(f *testing.F) {
	f.Add("billing", "client_secret", "s\xff\x00", "{\"a\":", int64(1), 3, true)
	f.Add("", "", "", "", int64(0), 0, false)
	f.Add("\u2028", "64.client_secret", "<&>", "\xed\xa0\x80", int64(1<<33), -1, true)
	f.Fuzz(func(t *testing.T, text, field, value, raw string, seconds int64, number int, never bool) {
		text, field = strings.ToValidUTF8(text, "?"), strings.ToValidUTF8(field, "?")
		at := time.Unix(seconds&(1<<37-1), 5).UTC()
		want := credential.Staging{
			Client: text, Rotation: text, Attempt: number, Phase: credential.StagingStaged, Instance: text, Boot: text, FencedAt: at, Earlier: at,
			Before: []string{text, field}, OldID: field, Consumer: number, Label: text,
			New:    credential.Secret{ID: text, Slot: field, Start: at, Never: never, Hint: text, LastUse: at},
			Bundle: credential.Bundle{field: credential.NewSensitive(value)}, Raw: credential.NewSensitive(raw),
		}
		data, err := encodeStaging(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeStaging(data)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// FuzzDecode asks that no answer makes the decoders panic, and that what is no entry is never taken for an absence.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"data":{"data":{"phase":"intent","attempt":1},"metadata":{"version":1,"created_time":"2026-03-01T12:00:00Z"}}}`,
		`{"data":{"data":null,"metadata":{"version":3,"deletion_time":"x"}}}`, `{"errors":[]}`, `{}`, `[]`, `<html>`,
		`{"data":{"data":{"bundle.":null,"client_secret":1.10},"metadata":{"version":-1}}}`,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, found bool) {
		v, ok := decodeVersion(answer{found: found, body: body})
		if !ok {
			return
		}
		if found && (v.Number == 0 || v.Data == nil || v.Deleted) {
			t.Errorf("a success was read as %+v", v)
		}
		_, _ = decodeStaging(v.Data)
		_ = bundleOf(v.Data, credential.VaultPath{Fields: map[string]string{"client_secret": "OIDC"}})
	})
}
