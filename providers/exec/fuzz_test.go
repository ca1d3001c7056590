package exec

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// answered is a call that ended well with this on stdout.
func answered(operation, stdout string) *result {
	c := call{Operation: operation, Credential: clearOf(ownSecret), Target: targetOf(clientBy("client_id", "billing"))}
	return &result{
		provider: &provider{name: "portal"}, operation: operation, stdout: credential.NewSensitive(stdout),
		secrets: c.secrets([]byte(stdout)),
	}
}

// FuzzReply reads anything as the reply to every operation. Nothing is concluded that was not said, nothing that may hold
// a value is lost, and no error repeats a value.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		made, rejected, seen, `{"protocol":1,"answer":"accepted"}`, `{"protocol":1,"revoked":true}`, `{"protocol":1,"findings":[]}`,
		`{"protocol":1,"error":{"class":"not-understood","raw":"canarycanary","message":"canarycanary"}}`,
		`{"protocol":1,"error":{"class":"throttled","retry_after":1e400}}`, `{"protocol":1,"error":[]}`, `{"protocol":1,"issued":[]}`,
		`{"protocol":1,"issued":{"bundle":{"a":"canarycanary"},"secret":{"start":5,"id":"x"},"old_dies":"0001-01-01T00:00:00Z"}}`,
		`{"protocol":1,"snapshot":{"capabilities":{"mode":"manual","reason":"x","grace":-1e308},"secrets":null}}`,
		`{"protocol":1,"describe":{"name":"canary","operations":["create"]}}`, `{"protocol":"1"}`, `{"PROTOCOL":1,"ERROR":null}`, `null`, ``, "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stdout string) {
		for _, operation := range []string{opDescribe, opInspect, opCreate, opVerify, opRecover, opRevoke, opCheck, opDecode} {
			got, raw, err := answered(operation, stdout).reply()
			class := providers.ClassOf(err)
			switch {
			case err != nil && !changes(operation) && class == providers.ClassIndeterminate:
				t.Errorf("%s: a read of unknown outcome", operation)
			case class == providers.ClassNotUnderstood && operation == opCreate && raw.Empty():
				t.Errorf("the reply is lost: %v", err)
			case err != nil && repeats(err, stdout):
				t.Errorf("%s: %v", operation, err)
			case err != nil && providers.Definite(err) && operation == opCreate && !strings.Contains(stdout, "rror"):
				t.Errorf("%s was concluded although no error was said", class)
			case err == nil && got.Error != nil:
				t.Error("an error counts as a success")
			}
			if err == nil && got.Snapshot.check() == nil {
				for _, s := range got.Snapshot.plain().Secrets {
					if !s.Start.IsZero() && s.Start.Year() < 1970 {
						t.Errorf("start %v", s.Start)
					}
				}
			}
		}
	})
}

// repeats says whether an error holds the provider's reply that the program handed on.
func repeats(err error, stdout string) bool {
	got, decodeErr := decodeChange(credential.NewSensitive(stdout))
	if decodeErr != nil || got.Error == nil || len(got.Error.Raw.Reveal()) < piece {
		return false
	}
	return strings.Contains(err.Error(), got.Error.Raw.Reveal())
}

// FuzzRedact takes values out of any text, wherever they stand in it.
func FuzzRedact(f *testing.F) {
	f.Add("before ", "the-secret-value", " after")
	f.Add("Authorization: ", "abcdefgh", "")
	f.Add("", "\xff\xfe\x00binary", "[redacted]")
	f.Fuzz(func(t *testing.T, before, value, after string) {
		if len(value) < piece || strings.Contains(mask, value) || strings.Contains(before+after, value) {
			return
		}
		if got := newSecrets([]string{value}, nil).redact(before + value + after); strings.Contains(got, value) {
			t.Errorf("%q holds %q", got, value)
		}
	})
}
