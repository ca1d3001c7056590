package providertest

import (
	"bytes"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"strings"

	"github.com/rotad/rotad/providers"
)

// probeChangesNothing asks whatever "rotad check --online" asks. Nothing may be sent but what reads and what logs in.
func probeChangesNothing(b *bench) {
	before, made := b.inspect(), b.Created()
	var changing []string
	b.faults.set(func(r *http.Request) bool {
		if !harmless(r) {
			changing = append(changing, r.Method+" "+r.URL.Path)
		}
		return false
	}, nil)
	if checker, ok := providers.AsChecker(b.provider); ok {
		_ = checker.Check(b.Context())
	}
	if reader, ok := providers.AsRightsReader(b.provider); ok {
		rights, err := reader.Rights(b.Context(), []providers.Target{b.Target, b.Unknown})
		b.mustBeSaid(rights)
		if err != nil {
			b.mustBeClean(err.Error())
		}
		if err != nil && providers.ClassOf(err) == providers.ClassIndeterminate {
			b.Errorf("reading the rights: the error does not say what may be concluded: %v", err)
		}
	}
	b.faults.set(nil, nil)
	if len(changing) > 0 {
		b.Errorf("the probe sent what may change something: %s", strings.Join(changing, ", "))
	}
	after := b.inspect()
	before.Time = after.Time
	if b.Created() != made || !reflect.DeepEqual(before, after) {
		b.Errorf("the probe changed something:\n%+v\n%+v", before, after)
	}
	b.mustAnswer(b.Bundle, providers.Accepted, "the first secret after the probe")
}

// mustBeSaid checks that each right can be told to a person: what it is called, what it is for, and where it is given and taken.
func (b *bench) mustBeSaid(rights []providers.Right) {
	b.Helper()
	for _, r := range rights {
		if r.Name == "" || r.Why == "" || (r.Missing() || r.TooWide()) && r.Change == "" {
			b.Errorf("a right says too little: %+v", r)
		}
		if r.Need == providers.NeedNone && !r.Held {
			b.Errorf("a right that is neither needed nor held: %+v", r)
		}
	}
}

// question is the name of a call that only reads, where every call is a POST: that of gRPC at the end of a path, and that of AWS in a
// form or, after the service, in a header.
var question = regexp.MustCompile(`[/.](?:Get|List|Describe)[A-Za-z]*$|(?:^|&)Action=(?:Get|List|Simulate)[A-Za-z]*(?:&|$)`)

// harmless says whether a request reads, logs rotad in, or puts a question in a body.
func harmless(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "LIST":
		return true
	case http.MethodPost:
		for _, end := range []string{"/token", "/login", "/sys/capabilities-self", ":testIamPermissions"} {
			if strings.HasSuffix(r.URL.Path, end) {
				return true
			}
		}
		return question.MatchString(r.URL.Path) || question.MatchString(r.Header.Get("X-Amz-Target")) || question.MatchString(form(r))
	}
	return false
}

// form returns the body of a form. It is there again afterwards.
func form(r *http.Request) string {
	if r.Body == nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return ""
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return ""
	}
	return string(body)
}
