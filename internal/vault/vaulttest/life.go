package vaulttest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/vault"
)

func promoteOverDeleted(w *world) {
	w.foreign(map[string]any{"client_secret": "old", "kept": "no"})
	w.must(http.MethodDelete, w.mount+"/data/"+w.path.Path, nil)
	consumer, err := w.client.Consumer(w.ctx(), w.path, 0)
	w.noError(err)
	if consumer.Version != 1 || !consumer.Deleted || consumer.Bundle != nil || consumer.Created.IsZero() {
		w.t.Fatalf("a deleted version reads as %+v", consumer)
	}
	_, _, err = w.client.Promote(w.ctx(), w.path, 0, fresh())
	w.fails(err, credential.ErrCAS)
	version, _, err := w.client.Promote(w.ctx(), w.path, 1, fresh())
	w.noError(err)
	same(w, version, 2)
	same(w, len(w.stored()), 2)

	_, _, err = w.client.Stage(w.ctx(), w.key, 0, Full())
	w.noError(err)
	w.must(http.MethodDelete, w.mount+"/data/rotad/staging/"+w.key, nil)
	entry, err := w.client.Staging(w.ctx(), w.key)
	w.noError(err)
	if entry.Version != 1 || !entry.Deleted || entry.Phase != "" {
		w.t.Fatalf("a deleted entry reads as %+v", entry)
	}
}

func readByNumber(w *world) {
	w.foreign(map[string]any{"client_secret": "one"})
	w.foreign(map[string]any{"client_secret": "two"})
	for number, want := range map[int]string{0: "two", 1: "one", 2: "two"} {
		consumer, err := w.client.Consumer(w.ctx(), w.path, number)
		w.noError(err)
		same(w, consumer.Bundle.Secret(), credential.NewSensitive(want))
	}
	consumer, err := w.client.Consumer(w.ctx(), w.path, 3)
	w.noError(err)
	same(w, consumer, credential.Consumer{})
}

func destroying(w *world) {
	for i := range 3 {
		_, _, err := w.client.Stage(w.ctx(), w.key, i, Full())
		w.noError(err)
		_, _, err = w.client.Promote(w.ctx(), w.path, i, fresh())
		w.noError(err)
	}
	for range 2 { // the second time all is gone already
		w.noError(w.client.DestroyStaging(w.ctx(), w.key, []int{1, 2, 77}))
		w.noError(w.client.DestroyConsumer(w.ctx(), w.path, []int{1, 77}))
	}
	w.noError(w.client.DestroyStaging(w.ctx(), w.key, nil))
	w.noError(w.client.DestroyStaging(w.ctx(), w.key+"-never-written", []int{1}))
	entry, err := w.client.Staging(w.ctx(), w.key)
	w.noError(err)
	same(w, entry.Staging, Full())
	for number, deleted := range map[int]bool{1: true, 2: false, 3: false} {
		consumer, err := w.client.Consumer(w.ctx(), w.path, number)
		w.noError(err)
		same(w, consumer.Deleted, deleted)
		same(w, consumer.Version, number)
	}
	status, _ := w.ask(http.MethodGet, w.mount+"/data/rotad/staging/"+w.key+"?version=1", nil)
	same(w, status, http.StatusNotFound)
}

func annotating(w *world) {
	w.noError(w.client.Annotate(w.ctx(), w.path, map[string]string{"rotad_rotation": "r0"})) // before the first version
	_, _, err := w.client.Promote(w.ctx(), w.path, 0, fresh())
	w.noError(err)
	w.must(http.MethodPatch, w.mount+"/metadata/"+w.path.Path,
		map[string]any{"custom_metadata": map[string]string{"theirs": "kept"}})
	w.noError(w.client.Annotate(w.ctx(), w.path, map[string]string{"rotad_rotation": "r1", "rotad_gone": "x"}))
	w.noError(w.client.Annotate(w.ctx(), w.path, map[string]string{"rotad_gone": "", "rotad_never": ""}))
	w.noError(w.client.Annotate(w.ctx(), w.path, nil))
	same(w, w.custom(), map[string]string{"theirs": "kept", "rotad_rotation": "r1"})
	w.fails(w.client.Annotate(w.ctx(), w.path, map[string]string{"rotad_long": strings.Repeat("x", 513)}), nil)
	same(w, w.custom(), map[string]string{"theirs": "kept", "rotad_rotation": "r1"})
}

func (w *world) custom() map[string]string {
	w.t.Helper()
	var body struct {
		Data struct {
			Custom map[string]string `json:"custom_metadata"`
		} `json:"data"`
	}
	w.noError(json.Unmarshal(w.must(http.MethodGet, w.mount+"/metadata/"+w.path.Path, nil), &body))
	return body.Data.Custom
}

// calls does everything that needs a right, and returns what came of it.
func (w *world) calls(client *vault.Client) map[string]error {
	_, staging := client.Staging(w.ctx(), w.key)
	_, _, stage := client.Stage(w.ctx(), w.key, 0, Full())
	_, consumer := client.Consumer(w.ctx(), w.path, 0)
	_, _, promote := client.Promote(w.ctx(), w.path, 0, fresh())
	_, adopt := client.AdoptInstance(w.ctx(), "i-2")
	return map[string]error{
		"staging": staging, "stage": stage, "consumer": consumer, "promote": promote, "adopt": adopt,
		"annotate":         client.Annotate(w.ctx(), w.path, map[string]string{"a": "b"}),
		"destroy staging":  client.DestroyStaging(w.ctx(), w.key, []int{1}),
		"destroy consumer": client.DestroyConsumer(w.ctx(), w.path, []int{1}),
		"writable":         client.Writable(w.ctx(), w.key),
	}
}

// sealed is asked of a client that is logged in and of one that is not.
func sealed(w *world) {
	w.noError(w.client.Writable(w.ctx(), w.key))
	another := w.open(w.server.Settings)
	w.must(http.MethodPut, "sys/seal", nil)
	w.t.Cleanup(func() { w.unseal() })
	for _, client := range []*vault.Client{w.client, another} {
		for name, err := range w.calls(client) {
			w.t.Log(name)
			w.fails(err, credential.ErrSealed)
		}
		if _, err := client.Time(w.ctx()); err != nil {
			w.t.Errorf("a sealed vault tells its time too: %v", err)
		}
	}
	w.unseal()
	for name, err := range w.calls(w.client) {
		w.t.Log(name)
		w.noError(err)
	}
}

// unseal opens the server. The cleanup does so again where the test has failed before, hence not through w.t.Context.
func (w *world) unseal() {
	body := strings.NewReader(`{"key":"` + w.server.UnsealKey + `"}`)
	ctx := context.WithoutCancel(w.ctx())
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, w.server.Address+"/v1/sys/unseal", body)
	if err != nil {
		w.t.Error(err)
		return
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Error(err)
		return
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		w.t.Errorf("unsealing: HTTP %d", response.StatusCode)
	}
}

func denied(w *world) {
	powerless := w.open(w.server.Powerless)
	for name, err := range w.calls(powerless) {
		w.t.Log(name)
		w.fails(err, credential.ErrDenied)
	}
	elsewhere := credential.VaultPath{Path: "not-apps/" + w.key}
	_, err := w.client.Consumer(w.ctx(), elsewhere, 0)
	w.fails(err, credential.ErrDenied)
	_, _, err = w.client.Promote(w.ctx(), elsewhere, 0, fresh())
	w.fails(err, credential.ErrDenied)
}

func wrongMount(w *world) {
	name := strings.ReplaceAll(w.key, ".", "-")
	w.must(http.MethodPost, "sys/mounts/"+name, map[string]any{"type": "kv", "options": map[string]string{"version": "1"}})
	root := w.openAsRoot(name)
	for call, err := range w.calls(root) {
		w.t.Log(call)
		w.fails(err, credential.ErrNoMount)
	}
	if status, _ := w.ask(http.MethodGet, name+"/data/rotad/staging/"+w.key, nil); status != http.StatusNotFound {
		w.t.Errorf("something was written: HTTP %d", status)
	}
	for _, err := range w.calls(w.openAsRoot("there-is-none")) {
		w.fails(err, credential.ErrDenied) // Vault does not say which mounts exist
	}
}

// instance does not expect to be the first one, because a server may be used for many tests.
func instance(w *world) {
	first, err := w.client.AdoptInstance(w.ctx(), "i-1")
	w.noError(err)
	second, err := w.open(w.server.Settings).AdoptInstance(w.ctx(), "i-other")
	w.noError(err)
	read, err := w.client.Instance(w.ctx())
	w.noError(err)
	if first == "" || second != first || read != first {
		w.t.Fatalf("adopted %q, then %q, and read %q", first, second, read)
	}
	_, err = w.client.AdoptInstance(w.ctx(), "")
	w.fails(err, nil)
}

func clock(w *world) {
	told, err := w.client.Time(w.ctx())
	w.noError(err)
	if away := time.Since(told).Abs(); away > time.Minute || told.Location() != time.UTC {
		w.t.Errorf("vault's time %s is %s away", told, away)
	}
	w.noError(w.client.Login(w.ctx()))
	if ends := w.client.TokenExpires(); !ends.After(time.Now()) {
		w.t.Errorf("the token ends %s", ends)
	}
}

func check(w *world) {
	_, _, err := w.client.Promote(w.ctx(), w.path, 0, fresh())
	w.noError(err)
	further := []credential.VaultPath{{Path: w.path.Path + "-copy"}}
	for _, finding := range append(w.client.Check(w.ctx(), []credential.VaultPath{w.path}, further), w.client.CheckCopies(w.ctx(), further)...) {
		w.t.Errorf("%+v", finding)
	}
}

func checkPowerless(w *world) {
	found := w.open(w.server.Powerless).Check(w.ctx(), []credential.VaultPath{w.path}, nil)
	if len(found) != 2 || !found[0].Problem || !found[1].Problem {
		w.t.Errorf("got %+v, want a problem for staging and one for the path", found)
	}
	elsewhere := credential.VaultPath{Path: "not-apps/x"}
	found = w.client.Check(w.ctx(), []credential.VaultPath{elsewhere}, nil)
	var text strings.Builder
	for _, finding := range found {
		text.WriteString(finding.What + "\n")
	}
	found = w.client.CheckCopies(w.ctx(), []credential.VaultPath{elsewhere})
	want := "the token lacks create, read, update on " + w.mount + "/data/not-apps/x"
	if len(found) != 1 || !found[0].Problem || found[0].Rotation || found[0].What != want {
		w.t.Errorf("got %+v, want a problem for the data of the copy and nothing else", found)
	}
	for _, want := range []string{
		"create, read, update on " + w.mount + "/data/not-apps/x", "update on " + w.mount + "/destroy/not-apps/x",
		"read, patch, update on " + w.mount + "/metadata/not-apps/x",
	} {
		if !strings.Contains(text.String(), want) {
			w.t.Errorf("%q is missing in:\n%s", want, text.String())
		}
	}
}

// checkSurplus asks with the token that may do everything. It is said once, whatever the number of paths.
func checkSurplus(w *world) {
	said := 0
	for _, f := range w.openAsRoot(w.mount).Check(w.ctx(), []credential.VaultPath{w.path, {Path: w.path.Path + "-2"}}, nil) {
		if strings.HasPrefix(f.What, "right too wide: ") {
			said++
			if f.Problem || !strings.Contains(f.What, "root token") || f.Hint == "" {
				w.t.Errorf("%+v", f)
			}
		}
	}
	if said != 1 {
		w.t.Errorf("a root token is named %d times", said)
	}
}

func checkRetention(w *world) {
	w.must(http.MethodPost, w.mount+"/metadata/"+w.path.Path,
		map[string]any{"delete_version_after": "24h0m0s", "max_versions": 1})
	found := w.client.Check(w.ctx(), []credential.VaultPath{w.path}, nil)
	if len(found) != 2 || !found[0].Problem || !strings.Contains(found[0].What, "24h") || found[1].Problem ||
		!strings.Contains(found[1].What, "keeps 1 version") {
		w.t.Errorf("got %+v", found)
	}
}
