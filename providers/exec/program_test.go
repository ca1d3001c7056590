package exec

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entra"
	"github.com/rotad/rotad/providers/keycloak"
	"github.com/rotad/rotad/providers/telicent"
	"github.com/rotad/rotad/providers/vaultapprole"
)

// The program of these tests is the test binary itself, started anew by the kind under test: go test needs only Go.
const (
	asProgram = "ROTAD_TEST_PROGRAM"
	quickExit = "GORACE"  // a program that looks for races sleeps for a second when it ends, and these are many
	adapter   = "adapter" // value of the variable: serve one of rotad's own adapters over the protocol
)

// programFile is a copy of the test binary that only its owner can write, whatever the umask of the build.
var programFile string

func TestMain(m *testing.M) {
	switch role := os.Getenv(asProgram); role {
	case "":
	case adapter:
		serve(os.Stdin, os.Stdout)
		return
	default:
		os.Exit(misbehave(role)) //nolint:forbidigo // it is a program
	}
	dir, err := os.MkdirTemp("", "exec")
	if err == nil {
		programFile = filepath.Join(dir, "program")
		err = copyTestBinary(programFile)
	}
	if err != nil {
		panic(err)
	}
	m.Run()
	_ = os.RemoveAll(dir)
}

func copyTestBinary(to string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	from, err := os.Open(self)
	if err != nil {
		return err
	}
	defer from.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, from)
	return errors.Join(err, out.Close())
}

// serve answers one call with one of rotad's own adapters: whatever they can say has to fit through the protocol.
func serve(in io.Reader, out io.Writer) {
	var c call
	r := reply{Protocol: protocol}
	if err := json.NewDecoder(in).Decode(&c); err != nil {
		r.Error = &fault{Class: string(providers.ClassRejected), Message: err.Error()}
	} else if p, err := adapterOf(c); err != nil {
		r.Error = &fault{Class: string(providers.ClassRejected), Message: err.Error()}
	} else {
		answer(p, c, &r)
	}
	text, err := encode(r)
	if err != nil {
		panic(err)
	}
	_, _ = out.Write(text)
}

func adapterOf(c call) (providers.Provider, error) {
	settings := map[string]any{
		"entra": &entra.Settings{
			TenantID: "tenant", ClientID: "rotad", GraphURL: c.Settings["graph"], LoginURL: c.Settings["login"],
		},
		"telicent": &telicent.Settings{URL: c.Settings["url"], TokenEnv: "T"},
		"keycloak": &keycloak.Settings{URL: c.Settings["url"], Realm: "staff", ClientID: "rotad"},
		"approle":  &vaultapprole.Settings{Address: c.Settings["url"], TokenFile: "t", Values: "own"},
	}[c.Settings["kind"]]
	kind := map[string]providers.Kind{
		"entra": entra.Kind(), "telicent": telicent.Kind(), "keycloak": keycloak.Kind(), "approle": vaultapprole.Kind(),
	}[c.Settings["kind"]]
	start := time.Now()
	return kind.Open(providers.Opening{
		Name: c.Provider, Settings: settings, Deadline: seconds(c.Timeout),
		Secret:  func(string) (string, error) { return c.Credential.Reveal(), nil },
		Elapsed: func() time.Duration { return time.Since(start) },
	})
}

func answer(p providers.Provider, c call, r *reply) {
	ctx, t := context.Background(), providers.Target{} //nolint:forbidigo // it is a program
	if c.Target != nil {
		t = providers.Target{
			Client: c.Target.Client, Ref: c.Target.Ref, Grace: seconds(c.Target.Grace),
			Verify: credential.VerifySettings{
				Method: credential.VerifyMethod(c.Target.Verify.Method), Auth: c.Target.Verify.Auth, Scope: c.Target.Verify.Scope,
			},
		}
	}
	var err error
	var made providers.Issued
	switch c.Operation {
	case opDescribe:
		r.Describe = &description{Name: "adapter", Operations: []string{opDescribe, opInspect, opCreate, opVerify, opRevoke}}
	case opInspect:
		var seen providers.Snapshot
		if seen, err = p.Inspect(ctx, t); err == nil {
			r.Snapshot = wireSnapshot(seen)
		}
	case opVerify:
		var said providers.Answer
		if said, err = p.Verify(ctx, t, plainBundle(c.Bundle)); err == nil {
			r.Answer = said.String()
		}
	case opRevoke:
		err = unsupported
		if able, ok := p.(providers.Revoker); ok {
			err = able.Revoke(ctx, t, c.SecretID)
			r.Revoked = err == nil
		}
	case opCreate:
		made, err = p.Create(ctx, t, providers.Request{
			Label: c.Request.Label, Reason: c.Request.Reason, Expires: time.Time(c.Request.Expires),
			Proposed: plainBundle(c.Request.Proposed),
		})
		r.Issued = wireIssued(made, err)
	case opRecover:
		err = unsupported
		if able, ok := p.(providers.Recoverer); ok {
			made, err = able.Recover(ctx, t)
			r.Issued = wireIssued(made, err)
		}
	case opDecode:
		err = unsupported
		if able, ok := p.(providers.Decoder); ok {
			made, err = able.Decode(t, c.Raw.Sensitive)
			r.Issued = wireIssued(made, err)
		}
	}
	if err != nil {
		r.Error = wireFault(err, made.Raw)
	}
}

var unsupported = &providers.Error{Class: providers.ClassUnsupported}

func plainBundle(b map[string]cleartext) credential.Bundle {
	return (&issued{Bundle: b}).plain().Bundle
}

func wireFault(err error, raw credential.Sensitive) *fault {
	f := &fault{Class: string(providers.ClassOf(err)), Raw: cleartext{raw}}
	if e, ok := errors.AsType[*providers.Error](err); ok {
		f.Code, f.Status, f.RequestID, f.RetryAfter = e.Code, e.Status, e.RequestID, e.After.Seconds()
		if e.Err != nil {
			f.Message = e.Err.Error()
		}
	}
	return f
}

func wireIssued(i providers.Issued, err error) *issued {
	if err != nil {
		return nil
	}
	return &issued{Bundle: clears(i.Bundle), Secret: wireSecret(i.Secret), OldDies: moment(i.OldDies)}
}

func wireSecret(s credential.Secret) secret {
	return secret{
		ID: s.ID, Slot: s.Slot, Start: moment(s.Start), Expires: moment(s.Expires), Never: s.Never, Label: s.Label,
		Hint: s.Hint, LastUse: moment(s.LastUse),
	}
}

func wireSnapshot(s providers.Snapshot) *snapshot {
	c := s.Caps
	out := &snapshot{ClientID: s.ClientID, Time: moment(s.Time), Secrets: []secret{}, Capabilities: capabilities{
		Mode: string(c.Mode), Reason: c.Reason, Readable: c.Readable, StartReadable: c.StartReadable, Labels: c.Labels,
		SlotRevoke: c.SlotRevoke, Slots: c.Slots, SetsExpiry: c.SetsExpiry, Grace: c.Grace.Seconds(), Repeatable: c.Repeatable,
		HMAC: c.HMAC, Required: moment(c.Required), Disabled: c.Disabled, Instructions: c.Instructions,
	}}
	for _, one := range s.Secrets {
		out.Secrets = append(out.Secrets, wireSecret(one))
	}
	return out
}
