package exec

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	osexec "os/exec"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Kind describes the adapter to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:    "exec",
		Summary: "a program of your own that speaks JSON on stdin and stdout, one call per process",
		Modes: []string{
			string(credential.ModeTwoSlot), string(credential.ModeCaller), string(credential.ModeGraceWindow),
			string(credential.ModeHardCutover), string(credential.ModeManual),
		},
		Rights:   "what the program needs at its provider; on this machine, to run the program",
		Traits:   providers.Traits{Value: providers.ChosenByEither, Live: "as the program says", Lists: true, Revokes: true, Usage: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is one configured program. Nothing of it is kept between two calls.
type provider struct {
	name        string
	settings    Settings
	headers     map[string]string
	secret      func(name string) (string, error)
	log         *slog.Logger
	deadline    time.Duration // of a call that changes something
	propagation time.Duration
}

var (
	_ providers.Recoverer = (*provider)(nil)
	_ providers.Revoker   = (*provider)(nil)
	_ providers.Decoder   = (*provider)(nil)
	_ providers.Checker   = (*provider)(nil)
	_ providers.Generator = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)
)

// Timing implements providers.Timed. A program that does not heed SIGTERM can still change something until SIGKILL.
func (p *provider) Timing() providers.Timing {
	return providers.Timing{Deadline: p.deadline + p.settings.KillAfter, Propagation: p.propagation}
}

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	r, got, _, err := p.ask(ctx, call{Operation: opInspect, Target: targetOf(t)})
	if err != nil {
		return providers.Snapshot{}, err
	}
	if err := got.Snapshot.check(); err != nil {
		return providers.Snapshot{}, r.fail(providers.ClassUnavailable, err)
	}
	out := got.Snapshot.plain()
	out.Caps.Reason, out.Caps.Instructions = r.message(out.Caps.Reason), printable(out.Caps.Instructions)
	return out, nil
}

// Create implements providers.Provider. The program is run once. A value that came whole counts however the program
// ended: it will be proved before anybody gets it.
func (p *provider) Create(ctx context.Context, t providers.Target, q providers.Request) (providers.Issued, error) {
	asked := &request{Label: q.Label, Reason: q.Reason, Expires: moment(q.Expires)}
	if len(q.Proposed) > 0 {
		asked.Proposed = clears(q.Proposed)
	}
	r, got, raw, err := p.ask(ctx, call{Operation: opCreate, Target: targetOf(t), Request: asked})
	if err != nil {
		return providers.Issued{Raw: raw}, err
	}
	if err := got.Issued.check(); err != nil {
		return providers.Issued{Raw: shortened(r.stdout)}, r.fail(providers.ClassNotUnderstood, r.how(err))
	}
	return got.Issued.plain(), nil
}

// Verify implements providers.Provider.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	r, got, _, err := p.ask(ctx, call{Operation: opVerify, Target: targetOf(t), Bundle: clears(b)})
	if err != nil {
		return providers.Unknown, err
	}
	answer, err := parseAnswer(got.Answer)
	if err != nil {
		return providers.Unknown, r.fail(providers.ClassUnavailable, err)
	}
	return answer, nil
}

// Recover implements providers.Recoverer, where the program's capabilities say readable.
func (p *provider) Recover(ctx context.Context, t providers.Target) (providers.Issued, error) {
	r, got, _, err := p.ask(ctx, call{Operation: opRecover, Target: targetOf(t)})
	if err != nil {
		return providers.Issued{}, err
	}
	if err := got.Issued.check(); err != nil {
		return providers.Issued{}, r.fail(providers.ClassUnavailable, err)
	}
	return got.Issued.plain(), nil
}

var errNotConfirmed = errors.New(`the reply does not say "revoked": true`)

// Revoke implements providers.Revoker.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	r, got, _, err := p.ask(ctx, call{Operation: opRevoke, Target: targetOf(t), SecretID: id})
	if err == nil && !got.Revoked {
		err = r.fail(providers.ClassIndeterminate, errNotConfirmed)
	}
	return err
}

// Decode implements providers.Decoder: a reply of the program that could not be read is read again, and one of its
// provider is handed to the program, which may have been mended since.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	if got, err := decodeChange(raw); err == nil && got.Issued.check() == nil {
		return got.Issued.plain(), nil
	}
	ctx := context.Background() //nolint:forbidigo // the interface has no context
	r, got, _, err := p.ask(ctx, call{Operation: opDecode, Target: targetOf(t), Raw: cleartext{raw}})
	if err != nil {
		return providers.Issued{}, err
	}
	if err := got.Issued.check(); err != nil {
		return providers.Issued{}, r.fail(providers.ClassNotUnderstood, err)
	}
	return got.Issued.plain(), nil
}

// Generate implements providers.Generator.
func (p *provider) Generate(providers.Target) (credential.Bundle, error) {
	return credential.Bundle{p.settings.SecretField: credential.NewSensitive(rand.Text() + rand.Text())}, nil // 2 x 130 bits
}

// ask runs the program once and reads its reply.
func (p *provider) ask(ctx context.Context, c call) (*result, reply, credential.Sensitive, error) {
	limit := p.settings.Timeout
	if changes(c.Operation) {
		limit = p.deadline
	}
	c.Protocol, c.Provider, c.Timeout = protocol, p.name, limit.Seconds()
	c.Settings, c.Headers = p.settings.Settings, p.headers
	if err := p.addCredential(&c); err != nil {
		return nil, reply{}, credential.Sensitive{}, p.fault(c.Operation, providers.ClassAuth, err)
	}
	stdin, err := encode(c)
	if err != nil {
		return nil, reply{}, credential.Sensitive{}, p.fault(c.Operation, providers.ClassRejected, errUnsaid)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ended, err := p.start(ctx, append(stdin, '\n'))
	if err != nil {
		return nil, reply{}, credential.Sensitive{}, p.fault(c.Operation, providers.ClassUnavailable, err)
	}
	r := &result{
		provider: p, operation: c.Operation, ended: ended, stdout: credential.NewSensitive(string(ended.stdout)),
		secrets: c.secrets(ended.stdout),
	}
	got, raw, err := r.reply()
	r.note(ctx)
	return r, got, raw, err
}

func (p *provider) addCredential(c *call) error {
	if p.settings.CredentialFile == "" && p.settings.CredentialEnv == "" {
		return nil
	}
	value, err := p.secret("credential")
	if err != nil {
		return err
	}
	c.Credential = clearOf(strings.TrimRight(value, "\r\n"))
	return nil
}

// start runs the program, if it is still one that may be run. Whatever fails here fails before it runs.
func (p *provider) start(ctx context.Context, stdin []byte) (ending, error) {
	if err := ctx.Err(); err != nil {
		return ending{}, errors.New("rotad no longer waits: the program was not started")
	}
	if err := checkProgram(p.settings.ProgramFile); err != nil {
		return ending{}, fmt.Errorf("the program was not started: %w", err)
	}
	ended, err := run(ctx, p.command(), stdin, p.settings.KillAfter)
	if err != nil {
		return ending{}, fmt.Errorf("the program (or the interpreter in its first line) was not started: %w", plainly(err))
	}
	return ended, nil
}

// command is the program with all that it gets beside stdin. An environment of nil would be that of rotad.
func (p *provider) command() *osexec.Cmd {
	environment := []string{}
	for _, name := range sortedNames(p.settings.Environment) {
		environment = append(environment, name+"="+p.settings.Environment[name])
	}
	return &osexec.Cmd{
		Path: p.settings.ProgramFile, Args: []string{p.settings.ProgramFile}, Env: environment, Dir: p.settings.Directory,
		SysProcAttr: attributes(),
	}
}

func (p *provider) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: p.name, Operation: operation, Err: cause}
}
