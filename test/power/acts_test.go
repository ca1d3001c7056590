package power_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/test/power"
)

// watched asks the oracles before every act that comes to a server: with the record as it would be found if the power
// went in this moment and nothing survived that was not fsynced.
func (f *fleet) watched(next http.Handler) http.Handler {
	dir := scratch(f.T)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return // whoever asked has died
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if m, a, ok := f.act(r, body); ok && f.durable != nil {
			f.judgeAct(context.WithoutCancel(r.Context()), m, a, dir)
		}
		next.ServeHTTP(w, r)
	})
}

// act says what a request is about to change, and of which client.
func (f *fleet) act(r *http.Request, body []byte) (m member, a oracle.Act, ok bool) {
	if r.Method == http.MethodGet || r.Method == "LIST" {
		return m, a, false
	}
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/v1/secret/data/rotad/staging/") && !strings.HasSuffix(path, "/instance"):
		var in struct {
			Data struct{ Client, Rotation, Phase string }
		}
		ok = json.Unmarshal(body, &in) == nil && in.Data.Phase != "idle"
		a = oracle.Act{Kind: oracle.Stage, Rotation: in.Data.Rotation}
		m, _ = f.find(in.Data.Client)
	case strings.HasPrefix(path, "/v1/secret/data/apps/"):
		m, ok = f.find(path)
		a = oracle.Act{Kind: oracle.Promote, Value: valueIn(body, m.field)}
	case strings.HasPrefix(path, "/v1/secret/destroy/apps/"):
		var in struct{ Versions []int }
		m, ok = f.find(path)
		ok = ok && json.Unmarshal(body, &in) == nil
		a = oracle.Act{Kind: oracle.Destroy, Versions: in.Versions}
	default:
		m, a, ok = f.actAtProvider(path, body)
	}
	return m, a, ok && m.id != ""
}

func valueIn(body []byte, field string) string {
	var in struct{ Data map[string]any }
	_ = json.Unmarshal(body, &in) // what is no such body has no value
	value, _ := in.Data[field].(string)
	return value
}

// actAtProvider knows the requests that make and delete secrets, where they name them.
func (f *fleet) actAtProvider(path string, body []byte) (m member, a oracle.Act, ok bool) {
	m, ok = f.find(path)
	var in struct {
		PasswordCredential struct{ DisplayName string }
		KeyID              string
		SecretIDAccessor   string `json:"secret_id_accessor"`
		SecretID           string `json:"secret_id"`
		Metadata           string
	}
	_ = json.Unmarshal(body, &in) // bodies of other requests are of no interest
	switch {
	case strings.HasSuffix(path, "/addPassword"):
		a = oracle.Act{Kind: oracle.Create, Label: in.PasswordCredential.DisplayName}
	case strings.HasSuffix(path, "/secret/rotate"):
		a = oracle.Act{Kind: oracle.Create}
	case strings.HasSuffix(path, "/secret-id"), strings.HasSuffix(path, "/custom-secret-id"):
		var label struct{ Rotad string }
		_ = json.Unmarshal([]byte(in.Metadata), &label) // a person's has none
		a = oracle.Act{Kind: oracle.Create, Label: label.Rotad, Value: in.SecretID}
	case strings.HasSuffix(path, "/removePassword"):
		a = oracle.Act{Kind: oracle.Revoke, ID: in.KeyID}
	case strings.HasSuffix(path, "/secret-id-accessor/destroy"):
		a = oracle.Act{Kind: oracle.Revoke, ID: in.SecretIDAccessor}
	default:
		return m, a, false
	}
	if a.Kind == oracle.Create {
		f.mu.Lock()
		f.made[m.kind]++
		f.mu.Unlock()
	}
	return m, a, ok
}

// judgeAct asks the oracles about one act.
func (f *fleet) judgeAct(ctx context.Context, m member, a oracle.Act, dir string) {
	known, err := power.Read(ctx, f.durable(), stateName, dir)
	if err != nil {
		f.note(fmt.Errorf("%s of %s while the durable state cannot be read: %w", a.Kind, m.id, err))
		return
	}
	v, failed, err := f.view(ctx, m, known)
	if err != nil {
		f.note(err)
		return
	}
	for _, b := range oracle.Before(v, a) {
		if *failed == nil {
			f.note(fmt.Errorf("%s of %s: %s", a.Kind, m.id, b))
		}
	}
}

// keepImage writes the state file of a volume to a place where it stays.
func keepImage(v *power.Volume) string {
	f, err := os.CreateTemp("", "rotad-power-*.db")
	if err != nil {
		return err.Error()
	}
	_ = f.Close()
	if !v.Has(stateName) {
		return f.Name() + " (there was no state file)"
	}
	if err := v.Export(stateName, f.Name()); err != nil {
		return err.Error()
	}
	return f.Name()
}
