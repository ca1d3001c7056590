package exec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// result is a call that has ended, with what may be concluded from how.
type result struct {
	provider  *provider
	operation string
	ended     ending
	stdout    credential.Sensitive
	secrets   *secrets
}

// changes says whether an operation changes something at the provider.
func changes(operation string) bool { return operation == opCreate || operation == opRevoke }

// broken is the class of a call that proves nothing.
func broken(operation string) providers.Class {
	if changes(operation) {
		return providers.ClassIndeterminate
	}
	return providers.ClassUnavailable
}

// Exit codes. 0: the reply counts. 1: the reply counts if it is an error, because scripts end so. Anything else, a signal
// and a program that rotad had to end: nothing definite is concluded, but a value that came whole is kept.
const (
	exitReply = 0
	exitError = 1
)

// sound says whether the program ended as it should, so that what it wrote may be believed.
func (r *result) sound(failed bool) bool {
	return r.ended.why == nil && (r.ended.code == exitReply || failed && r.ended.code == exitError)
}

// reply reads what the program wrote. Its error is complete; raw is what must not be lost of a create.
func (r *result) reply() (got reply, raw credential.Sensitive, err error) {
	if blank(r.stdout.Reveal()) {
		return reply{}, credential.Sensitive{}, r.fail(broken(r.operation), r.how(errSilent))
	}
	decode := decodeStrict
	if changes(r.operation) || r.operation == opDecode || r.operation == opRecover {
		decode = decodeChange
	}
	if got, err = decode(r.stdout); err != nil {
		class, kept := r.unreadable(err)
		return reply{}, kept, r.fail(class, r.how(err))
	}
	if !r.sound(got.Error != nil) && (r.operation != opCreate || got.Error != nil) {
		return reply{}, credential.Sensitive{}, r.fail(broken(r.operation), r.how(errUnsound))
	}
	if got.Error != nil {
		raw, err = r.refused(got.Error)
		return reply{}, raw, err
	}
	return got, credential.Sensitive{}, nil
}

var (
	errSilent  = errors.New("the program wrote no reply")
	errUnsound = errors.New("the program did not end well, so its reply does not count")
)

// unreadable is the class of a reply that cannot be read. Only that to a create may hold a value.
func (r *result) unreadable(cause error) (providers.Class, credential.Sensitive) {
	switch {
	case r.operation == opCreate:
		return providers.ClassNotUnderstood, shortened(r.stdout)
	case r.operation == opDecode:
		return providers.ClassNotUnderstood, credential.Sensitive{}
	case errors.Is(cause, errVersion) && !changes(r.operation):
		return providers.ClassUnsupported, credential.Sensitive{}
	}
	return broken(r.operation), credential.Sensitive{}
}

// maxRaw is how much of a reply is kept: it goes into Vault.
const maxRaw = 1 << 20

func shortened(s credential.Sensitive) credential.Sensitive {
	return credential.NewSensitive(s.Reveal()[:min(len(s.Reveal()), maxRaw)])
}

// how adds to a cause how the program ended, where that says more.
func (r *result) how(cause error) error {
	switch {
	case r.ended.why != nil:
		return fmt.Errorf("%w; %w", r.ended.why, cause)
	case r.ended.signal != 0:
		return fmt.Errorf("ended by a signal (%s), what it wrote to stderr is in the log: %w", r.ended.signal, cause)
	case r.ended.code != exitReply:
		return fmt.Errorf("exit code %d, what it wrote to stderr is in the log: %w", r.ended.code, cause)
	}
	return cause
}

func (r *result) fail(class providers.Class, cause error) error {
	return r.provider.fault(r.operation, class, cause)
}

var definite = []providers.Class{
	providers.ClassThrottled, providers.ClassBusy, providers.ClassConflict, providers.ClassQuota, providers.ClassAuth,
	providers.ClassNotFound, providers.ClassRejected, providers.ClassUnsupported, providers.ClassUnavailable,
}

// class is what an error of the program lets one conclude. A class that does not exist, or that makes no sense for the
// operation, proves nothing.
func (r *result) class(said string) providers.Class {
	class := providers.Class(said)
	switch {
	case slices.Contains(definite, class):
		return class
	case class == providers.ClassNotUnderstood && (r.operation == opCreate || r.operation == opDecode):
		return class
	}
	return broken(r.operation)
}

// refused turns an error that the program said into one of rotad's.
func (r *result) refused(f *fault) (raw credential.Sensitive, err error) {
	e := &providers.Error{
		Class: r.class(f.Class), Provider: r.provider.name, Operation: r.operation, Status: f.Status,
		Code: r.clean(f.Code, code, maxCode), RequestID: r.clean(f.RequestID, requestID, maxID),
	}
	if f.Status < 100 || f.Status > 999 {
		e.Status = 0
	}
	switch e.Class { //nolint:exhaustive // only these have a time to wait
	case providers.ClassThrottled, providers.ClassBusy, providers.ClassUnavailable:
		e.After = min(seconds(f.RetryAfter), maxAfter)
	}
	if text := r.message(f.Message); text != "" {
		e.Err = errors.New(text)
	}
	if e.Class == providers.ClassNotUnderstood && r.operation == opCreate {
		if raw = shortened(f.Raw.Sensitive); raw.Empty() {
			raw = shortened(r.stdout)
		}
	}
	return raw, e
}

const maxAfter = time.Hour

// What a code and a name of a request look like. Anything else in their place could be a piece of a secret.
var (
	code      = regexp.MustCompile(`^[A-Za-z]+(?:[_.:-][A-Za-z]+)*[0-9]{0,8}$`)
	requestID = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]+$`)
)

const (
	maxCode    = 64
	maxID      = 80
	maxMessage = 300
)

func (r *result) clean(text string, form *regexp.Regexp, most int) string {
	if len(text) > most || !form.MatchString(text) || r.secrets.holds(text) {
		return ""
	}
	return text
}

// message is what the program says to people, on one line.
func (r *result) message(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	text = r.secrets.redact(printable(text))
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "..."
	}
	return text
}

// printable drops control characters, which could rewrite a line of somebody's terminal.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			return -1
		}
		return c
	}, text)
}

// note writes what the program said on stderr to the log, without the values of the call.
func (r *result) note(ctx context.Context) {
	text := string(r.ended.stderr.kept)
	if r.ended.stderr.cut { // the first word may be the end of a value
		_, text, _ = strings.Cut(text, "\n")
	}
	if text = strings.TrimSpace(printable(strings.ToValidUTF8(text, "?"))); text == "" {
		return
	}
	r.provider.log.LogAttrs(ctx, slog.LevelWarn, "program wrote to stderr",
		slog.String("provider", r.provider.name), slog.String("operation", r.operation),
		slog.Int("exit_code", r.ended.code), slog.String("stderr", r.secrets.redact(text)))
}
