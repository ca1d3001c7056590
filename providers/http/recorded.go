package http

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// recording is a file of requests and the answers to them, with what is to be read in those.
type recording struct {
	Source []string          `yaml:"source"` // pages that the answers are documented on
	URL    string            `yaml:"url"`    // of the provider's block, while this is played; empty = the block's own
	Vars   map[string]string `yaml:"vars"`   // the same of vars
	Ref    credential.Ref    `yaml:"ref"`    // the client
	Grace  time.Duration     `yaml:"grace"`  // stated for the client
	Steps  []step            `yaml:"steps"`
}

// step is one operation, the calls that it makes in their order, and its result.
type step struct {
	Do       string            `yaml:"do"`     // inspect, create, recover, activate, revoke, verify or list
	Cursor   string            `yaml:"cursor"` // of a list; empty = its beginning
	Label    string            `yaml:"label"`
	Reason   string            `yaml:"reason"`
	Expires  time.Time         `yaml:"expires"`
	SecretID string            `yaml:"secret_id"` // of a revoke; of an activate: the one that takes the place
	OldID    string            `yaml:"old_id"`    // of an activate: the one whose place it takes
	Proposed string            `yaml:"proposed"`  // value of a create, where rotad chooses it
	Bundle   map[string]string `yaml:"bundle"`    // of a verify
	Calls    []exchange        `yaml:"calls"`
	Expect   expectation       `yaml:"expect"`
}

// exchange is a request and the answer to it.
type exchange struct {
	Request string            `yaml:"request"` // method, space, whole address
	Headers map[string]string `yaml:"headers"` // that the request has, among others
	JSON    any               `yaml:"json"`
	Form    map[string]string `yaml:"form"`
	Status  int               `yaml:"status"` // of the answer; 0 = 200
	Date    time.Time         `yaml:"date"`   // of the answer's header; zero = there is none
	Link    string            `yaml:"link"`   // the same
	Answer  any               `yaml:"answer"` // JSON
	Text    string            `yaml:"text"`   // instead of answer, as it is
}

// expectation is the result of a step. What is not written is not compared.
type expectation struct {
	Class    string      `yaml:"class"`     // of the error; empty = there is none
	Answer   string      `yaml:"answer"`    // of a verify
	ClientID string      `yaml:"client_id"` // of an inspect
	Grace    string      `yaml:"grace"`     // of an inspect, for example 168h0m0s
	Required string      `yaml:"required"`
	Secrets  *[]expected `yaml:"secrets"`
	Issued   *expected   `yaml:"issued"`
	Clients  []client    `yaml:"clients"` // of a list
	Next     string      `yaml:"next"`    // the same: the cursor of the next page
}

// client is one of a list.
type client struct {
	Ref      credential.Ref `yaml:"ref"`
	ClientID string         `yaml:"client_id"`
	Name     string         `yaml:"name"`
	Owners   []string       `yaml:"owners"`
	Tags     []string       `yaml:"tags"`
	Created  string         `yaml:"created"`
	Secrets  int            `yaml:"secrets"`  // how many it is listed with
	Unusable bool           `yaml:"unusable"` // none of them can be rotated
}

// expected is one secret. Times are RFC 3339.
type expected struct {
	ID      string            `yaml:"id"`
	Slot    string            `yaml:"slot"`
	Start   string            `yaml:"start"`
	Expires string            `yaml:"expires"`
	Never   bool              `yaml:"never"`
	Label   string            `yaml:"label"`
	LastUse string            `yaml:"last_use"`
	OldDies string            `yaml:"old_dies"`
	Bundle  map[string]string `yaml:"bundle"`
}

// maxRecording bounds a file of recorded answers, in bytes.
const maxRecording = 4 << 20

var (
	errRecordingSize = errors.New("the file is larger than 4 MiB")
	errRecordingYAML = errors.New("the file is not YAML of this form; see the kind's README")
	errNoSteps       = errors.New("the file has no steps")
)

// play plays a description against a file. A file that is not there has been reported by whoever read the settings.
func (s *Settings) play(file string) error {
	info, err := os.Stat(file)
	if err == nil && info.Size() > maxRecording {
		return errRecordingSize
	}
	text, err := os.ReadFile(file) //nolint:gosec // the configuration names it
	if err != nil {
		if pathError, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(pathError, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("reading it: %w", err)
	}
	return s.playText(text)
}

func (s *Settings) playText(text []byte) error {
	var r recording
	if yaml.Load(text, &r, yaml.WithKnownFields()) != nil {
		return errRecordingYAML // the library's words may repeat what stands there
	}
	if len(r.Steps) == 0 {
		return errNoSteps
	}
	block := *s
	block.RecordedFile = ""
	if r.URL != "" {
		block.URL = r.URL
	}
	if r.Vars != nil {
		block.Vars = r.Vars
	}
	for i, one := range r.Steps {
		if err := one.play(&block, r); err != nil {
			return fmt.Errorf("step %d (%s): %w", i+1, one.Do, err)
		}
	}
	return nil
}

var errNoStep = errors.New("there is no such operation; write inspect, create, recover, activate, revoke, verify or list")

// play plays one step with a provider of its own, which asks nobody.
func (s step) play(block *Settings, r recording) error {
	tape := &tape{calls: s.Calls}
	if plan := compile(block, func(string, string, string) {}); plan != nil && s.Do != "verify" { // which asks the same endpoint
		tape.login = plan.loginURL
	}
	p, err := open(providers.Opening{
		Name: "recorded", Settings: block, Transport: tape, Elapsed: func() time.Duration { return 0 },
		Secret: func(string) (string, error) { return "recorded", nil },
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) //nolint:forbidigo // nobody is asked, and Validate has no context
	defer cancel()
	t := providers.Target{Client: "recorded", Ref: r.Ref, Grace: r.Grace}
	err = s.run(ctx, p, t)
	if errors.Is(err, errNoStep) {
		return err
	}
	if tapeErr := tape.result(); tapeErr != nil {
		return tapeErr
	}
	return err
}

func (s step) run(ctx context.Context, p providers.Provider, t providers.Target) error {
	switch s.Do {
	case "inspect":
		seen, err := p.Inspect(ctx, t)
		return s.Expect.inspected(seen, err)
	case "create":
		r := providers.Request{Label: s.Label, Reason: s.Reason, Expires: s.Expires}
		if s.Proposed != "" {
			r.Proposed = bundleOf(map[string]string{credential.FieldClientSecret: s.Proposed})
		}
		issued, err := p.Create(ctx, t, r)
		return s.Expect.issued(issued, err)
	case "recover":
		if r, ok := p.(providers.Recoverer); ok {
			issued, err := r.Recover(ctx, t)
			return s.Expect.issued(issued, err)
		}
	case "activate":
		if a, ok := p.(providers.Activator); ok {
			return s.Expect.failed(a.Activate(ctx, t, s.SecretID, s.OldID))
		}
	case "revoke":
		if r, ok := p.(providers.Revoker); ok {
			return s.Expect.failed(r.Revoke(ctx, t, s.SecretID))
		}
	case "list":
		return s.list(ctx, p)
	case "verify":
		return s.verify(ctx, p, t)
	}
	return errNoStep
}

func (s step) list(ctx context.Context, p providers.Provider) error {
	l, ok := providers.AsLister(p)
	if !ok {
		return errNoStep
	}
	page, err := l.List(ctx, s.Cursor)
	return s.Expect.listed(page, err)
}

func (s step) verify(ctx context.Context, p providers.Provider, t providers.Target) error {
	answer, err := p.Verify(ctx, t, bundleOf(s.Bundle))
	if got := answer.String(); got != s.Expect.Answer {
		return fmt.Errorf("%w: the answer is %s, want %s (%s)", errDiffers, got, s.Expect.Answer, words(err))
	}
	return nil
}

func bundleOf(fields map[string]string) credential.Bundle {
	b := credential.Bundle{}
	for name, value := range fields {
		b[name] = credential.NewSensitive(value)
	}
	return b
}
