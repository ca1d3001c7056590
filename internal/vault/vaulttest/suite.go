package vaulttest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
)

// Run asks everything of a server. newServer is called once per test and may return the same server each time.
func Run(t *testing.T, newServer func(t *testing.T) Server) {
	for _, c := range []struct {
		name string
		run  func(w *world)
	}{
		{"an entry that was never written is version 0", stagingAbsent},
		{"every field of a staging entry comes back", stagingRoundTrip},
		{"a staging write needs the version it was made from", stagingCAS},
		{"a lost reply leaves a write that reading back finds", lostReply},
		{"promote keeps foreign keys byte for byte", promoteMerges},
		{"promote writes fields under their mapped names", promoteMaps},
		{"the keys of a registration are found beside the secret", consumerFindsKeys},
		{"promote needs the version it was made from", promoteCAS},
		{"a path reaches vault as it is written", strangePath},
		{"promote refuses what cannot be a bundle", promoteRefuses},
		{"promote over a deleted version needs its number", promoteOverDeleted},
		{"a version can be read by its number", readByNumber},
		{"destroying is by number, and what is gone is no error", destroying},
		{"annotations keep those of others", annotating},
		{"a sealed vault is told apart", sealed},
		{"a missing right is told apart", denied},
		{"a mount that is not KV version 2 is never written to", wrongMount},
		{"the first instance id wins", instance},
		{"vault tells its time", clock},
		{"the check is content with the least policy", check},
		{"the check names missing rights", checkPowerless},
		{"the check names a root token", checkSurplus},
		{"the check names versions that vanish too early", checkRetention},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) { c.run(newWorld(t, newServer(t))) })
	}
}

func (w *world) ctx() context.Context { return w.t.Context() }

func (w *world) noError(err error) {
	w.t.Helper()
	if err != nil {
		w.clean(err.Error())
		w.t.Fatal(err)
	}
}

// fails expects an error that wraps want (nil = any error), and that tells no secret.
func (w *world) fails(err, want error) {
	w.t.Helper()
	if err == nil || (want != nil && !errors.Is(err, want)) {
		w.t.Fatalf("got %v, want %v", err, want)
	}
	w.clean(err.Error())
}

func same[T any](w *world, got, want T) {
	w.t.Helper()
	if !reflect.DeepEqual(got, want) {
		w.t.Fatalf("got %+v, want %+v", got, want)
	}
}

// fresh is the bundle that the tests publish.
func fresh() credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID:     credential.NewSensitive("billing"),
		credential.FieldClientSecret: credential.NewSensitive(Canary + "new"),
	}
}

// Full returns an entry with a value in every field.
func Full() credential.Staging {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	return credential.Staging{
		Client: "billing-api", Rotation: "r-1", Attempt: 2, Phase: credential.StagingStaged, Instance: "i-1",
		FencedAt: at, Earlier: at.Add(-time.Minute), Before: []string{"a", "b,c"}, OldID: "a", Consumer: 7, Label: "rotad/i-1/r-1/2",
		New: credential.Secret{
			ID: "id-2", Slot: "current", Start: at.Add(time.Second), Expires: at.Add(time.Hour), Never: true,
			Label: "l", Hint: "abc", LastUse: at.Add(time.Minute),
		},
		Bundle: credential.Bundle{
			"client_id":     credential.NewSensitive("billing"),
			"client_secret": credential.NewSensitive(Canary + `<"&\u2028>`),
			"private_key":   credential.NewSensitive("-----BEGIN\n" + Canary + "\n\xff\xfe"),
			"empty":         credential.NewSensitive(""),
		},
		Raw: credential.NewSensitive("{\"a\":\"" + Canary + "\xc3\x28\x00"),
	}
}

func stagingAbsent(w *world) {
	entry, err := w.client.Staging(w.ctx(), w.key)
	w.noError(err)
	same(w, entry, credential.Entry{})
	w.noError(w.client.Writable(w.ctx(), w.key))
}

func stagingRoundTrip(w *world) {
	phases := []credential.StagingPhase{
		credential.StagingIntent, credential.StagingPending, credential.StagingReceived,
		credential.StagingStaged, credential.StagingIdle,
	}
	for i, phase := range phases {
		want := Full()
		want.Phase = phase
		version, created, err := w.client.Stage(w.ctx(), w.key, i, want)
		w.noError(err)
		entry, err := w.client.Staging(w.ctx(), w.key)
		w.noError(err)
		same(w, entry, credential.Entry{Staging: want, Version: version, Created: created})
		same(w, version, i+1)
	}
	_, _, err := w.client.Stage(w.ctx(), w.key, len(phases), credential.Staging{Phase: "later"})
	w.fails(err, nil)
}

func stagingCAS(w *world) {
	first := credential.Staging{Phase: credential.StagingIntent, Rotation: "one"}
	_, created, err := w.client.Stage(w.ctx(), w.key, 0, first)
	w.noError(err)
	if age := time.Since(created).Abs(); age > time.Minute {
		w.t.Errorf("the version is %s away from now", age)
	}
	for _, cas := range []int{0, 2, 99} {
		_, _, err = w.client.Stage(w.ctx(), w.key, cas, Full())
		w.fails(err, credential.ErrCAS)
	}
	_, _, err = w.client.Stage(w.ctx(), w.key, -1, Full())
	w.fails(err, nil)
	entry, err := w.client.Staging(w.ctx(), w.key)
	w.noError(err)
	same(w, entry.Staging, first)
	same(w, entry.Version, 1)
}

// lostReply is the false mismatch: the server has taken the write and the reply never came. The client must neither
// say that nothing was written nor send the write again by itself.
func lostReply(w *world) {
	_, err := w.client.Staging(w.ctx(), w.key)
	w.noError(err)
	w.faults.DropReply(sandbox.When{Path: "/data/", Method: http.MethodPut})
	_, _, err = w.client.Stage(w.ctx(), w.key, 0, Full())
	w.fails(err, nil)
	for _, definite := range []error{
		credential.ErrCAS, credential.ErrDenied, credential.ErrSealed, credential.ErrNoMount,
	} {
		if errors.Is(err, definite) {
			w.t.Fatalf("a lost reply reads as %v", definite)
		}
	}
	entry, err := w.client.Staging(w.ctx(), w.key)
	w.noError(err)
	same(w, entry.Staging, Full())
	same(w, entry.Version, 1)
	_, _, err = w.client.Stage(w.ctx(), w.key, 0, Full())
	w.fails(err, credential.ErrCAS)

	w.faults.DropReply(sandbox.When{Path: "/data/", Method: http.MethodPut})
	_, _, err = w.client.Promote(w.ctx(), w.path, 0, fresh())
	w.fails(err, nil)
	consumer, err := w.client.Consumer(w.ctx(), w.path, 0)
	w.noError(err)
	same(w, consumer.Bundle, fresh())
	same(w, consumer.Version, 1)
	_, _, err = w.client.Promote(w.ctx(), w.path, 0, fresh())
	w.fails(err, credential.ErrCAS)
}

func promoteMerges(w *world) {
	w.foreign(json.RawMessage(`{"client_secret":"old","big":12345678901234567890,"float":1.10,"exp":2e40,` +
		`"nested":{"z":[1,{"y":null}],"a":9007199254740993},"html":"<a>&\u2028","null":null,"yes":true,"umlaut":"ä\t"}`))
	before := w.stored()
	version, created, err := w.client.Promote(w.ctx(), w.path, 1, fresh())
	w.noError(err)
	after := w.stored()
	same(w, version, 2)
	for key, want := range before {
		if got := after[key]; key != "client_secret" && string(got) != string(want) {
			w.t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
	same(w, string(after["client_secret"]), `"`+Canary+`new"`)
	same(w, string(after["client_id"]), `"billing"`)
	same(w, len(after), len(before)+1)
	consumer, err := w.client.Consumer(w.ctx(), w.path, 0)
	w.noError(err)
	same(w, consumer.Version, 2)
	same(w, consumer.Created, created)
	same(w, consumer.Bundle, fresh()) // without what belongs to others
}

// consumerFindsKeys: rotad's own keys stand beside the secret without being mapped, and may be mapped as any field.
func consumerFindsKeys(w *world) {
	w.foreign(map[string]any{"client_secret": "s", "registration_access_token": "t", "registration_client_uri": "u"})
	want := credential.Bundle{
		"client_secret": credential.NewSensitive("s"), credential.FieldRegistrationToken: credential.NewSensitive("t"),
		credential.FieldRegistrationURI: credential.NewSensitive("u"),
	}
	consumer, err := w.client.Consumer(w.ctx(), w.path, 0)
	w.noError(err)
	same(w, consumer.Bundle, want)
	same(w, consumer.Bundle.Login(), credential.Bundle{"client_secret": credential.NewSensitive("s")})
	w.path.Fields = map[string]string{credential.FieldRegistrationToken: "client_secret"}
	consumer, err = w.client.Consumer(w.ctx(), w.path, 0)
	w.noError(err)
	same(w, consumer.Bundle[credential.FieldRegistrationToken], credential.NewSensitive("s"))
}

func promoteMaps(w *world) {
	w.path.Fields = map[string]string{"client_secret": "OIDC_SECRET"}
	w.foreign(map[string]any{"client_secret": "somebody else's", "OIDC_SECRET": 12345, "role_id": nil})
	consumer, err := w.client.Consumer(w.ctx(), w.path, 0)
	w.noError(err)
	same(w, consumer.Bundle, credential.Bundle{"client_secret": credential.NewSensitive("12345")})
	_, _, err = w.client.Promote(w.ctx(), w.path, 1, fresh())
	w.noError(err)
	same(w, string(w.stored()["client_secret"]), `"somebody else's"`)
	same(w, string(w.stored()["OIDC_SECRET"]), `"`+Canary+`new"`)
	consumer, err = w.client.Consumer(w.ctx(), w.path, 0)
	w.noError(err)
	same(w, consumer.Bundle, fresh())
}

func promoteCAS(w *world) {
	w.foreign(map[string]any{"client_secret": "one"})
	w.foreign(map[string]any{"client_secret": "two"})
	for _, cas := range []int{0, 1, 3} {
		_, _, err := w.client.Promote(w.ctx(), w.path, cas, fresh())
		w.fails(err, credential.ErrCAS)
	}
	same(w, string(w.stored()["client_secret"]), `"two"`)
	version, _, err := w.client.Promote(w.ctx(), w.path, 2, fresh())
	w.noError(err)
	same(w, version, 3)
}

func strangePath(w *world) {
	w.path.Path += "/a b/ä?c=d#e%2e%2e&f+g"
	_, _, err := w.client.Promote(w.ctx(), w.path, 0, fresh())
	w.noError(err)
	list := w.must(http.MethodGet, w.mount+"/metadata/"+strings.TrimSuffix(w.path.Path, "/a b/ä?c=d#e%2e%2e&f+g")+
		"/a%20b?list=true", nil)
	if want := `"ä?c=d#e%2e%2e&f+g"`; !strings.Contains(strings.ReplaceAll(string(list), `\u0026`, "&"), want) {
		w.t.Errorf("%s is not in %s", want, list)
	}
	consumer, err := w.client.Consumer(w.ctx(), w.path, 0)
	w.noError(err)
	same(w, consumer.Bundle, fresh())
}

func promoteRefuses(w *world) {
	twice := w.path
	twice.Fields = map[string]string{"client_secret": "client_id"}
	for name, c := range map[string]struct {
		path credential.VaultPath
		b    credential.Bundle
	}{
		"no field":        {w.path, nil},
		"an empty value":  {w.path, credential.Bundle{"client_secret": {}}},
		"not UTF-8":       {w.path, credential.Bundle{"client_secret": credential.NewSensitive(Canary + "\xff")}},
		"one name twice":  {twice, fresh()},
		"a relative path": {credential.VaultPath{Path: "apps/../rotad/staging/x"}, fresh()},
		"no path":         {credential.VaultPath{}, fresh()},
	} {
		_, _, err := w.client.Promote(w.ctx(), c.path, 0, c.b)
		if vault.ClassOf(err) != vault.ClassRejected {
			w.t.Errorf("%s: got %v", name, err)
		}
	}
	consumer, err := w.client.Consumer(w.ctx(), w.path, 0)
	w.noError(err)
	same(w, consumer, credential.Consumer{})
}
