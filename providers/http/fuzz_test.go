package http_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	kind "github.com/rotad/rotad/providers/http"
)

// FuzzAnswers: whatever the server answers to a look and to a create, through slots and through a list: a success has a
// secret, an answer to a create that is not understood is kept, no secret without a name is told from others by it, and
// no error repeats an answer.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"secret":"canary","start":1772366400,"expires":"2027-03-01T12:00:00Z","old":{"expires":1773000000}}`,
		`{"has":true}`, `{"has":{"has":{}}}`, `{"secret":["canary"]}`, `{"secret":"canary"} {}`, `"canary"`, `<canary>`, ``, `[[[[[[]]]]]]`,
		`{"passwordCredentials":[{"keyId":"canary","endDateTime":null}]}`, `{"keyId":1e400,"secretText":"canary"}`,
		`{"secret":"canary","error":"canary"}`, `{"start":-9e18,"required":[true]}`, `{"passwordCredentials":{"keyId":"canary"}}`,
		`{"old":{"start":"0001-01-01T00:00:00Z"},"start":"","secret":123456789012345678901234567890}`,
	} {
		f.Add(seed)
	}
	list := graph("https://graph")
	list.Access = kind.Access{TokenEnv: "T"}
	f.Fuzz(func(t *testing.T, body string) {
		for _, s := range []kind.Settings{slots(), list} {
			answers := map[string]string{"GET /c/x": "200 " + body}
			seen, err := open(t, s, &replies{answers: answers}).Inspect(t.Context(), target("x"))
			checkClean(t, err)
			for _, one := range seen.Secrets {
				if one.ID == "" && (s.Mode == "two-slot" || !one.Start.IsZero()) {
					t.Errorf("a secret without a name: %+v", one)
				}
			}
			answers = map[string]string{
				"GET /c/x": `200 {"has":true}`, "POST /c/x/rotate": "200 " + body,
				"GET /graph/v1.0/applications%28appId=%27x%27%29": "200 {}", "POST /graph/v1.0/applications%28appId=%27x%27%29/addPassword": "200 " + body,
				"GET /graph/v1.0/applications(appId='x')": "200 {}", "POST /graph/v1.0/applications(appId='x')/addPassword": "200 " + body,
			}
			checkCreate(t, s, answers, body)
		}
	})
}

func checkCreate(t *testing.T, s kind.Settings, answers map[string]string, body string) {
	t.Helper()
	r := &replies{answers: answers}
	issued, err := open(t, s, r).Create(t.Context(), target("x"), providers.Request{Label: "l"})
	checkClean(t, err)
	posts := 0
	for _, one := range r.sent {
		if strings.HasPrefix(one, "POST") {
			posts++
		}
	}
	switch {
	case posts != 1:
		t.Errorf("the create was sent %d times", posts)
	case err == nil && issued.Bundle.Secret().Empty():
		t.Error("a success without a secret")
	case err != nil && providers.ClassOf(err) != providers.ClassNotUnderstood:
		t.Errorf("the class is %q", providers.ClassOf(err))
	case err != nil && issued.Raw.Reveal() != body:
		t.Error("the answer is lost")
	}
}

func checkClean(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), "canary") {
		t.Errorf("the error repeats the answer: %v", err)
	}
}

// FuzzPlaces: any expression over any answer ends, quickly and without an answer in its error.
func FuzzPlaces(f *testing.F) {
	for _, place := range []string{
		"$", "$.a", "$.a.b or $.c", "$[0]", "$[-1]", "$[::2]", "$[*]", "$['a']", `$["a\\"]`, "$[?@.a == 'x' || !@.b]", "$[?match(@.a, 'x.*')]",
		"$[?length(@) > 1]", "$[?count(@.*) == value(@.a)]", "$.a or $", "$..a", "$[0,1]", "$[?$.a]", "$[?@[?@[?@]]]", " or $", "$[?search(@, '(a*)*b')]",
	} {
		f.Add(place, `{"a":[{"a":"canary","b":1},{"a":{"b":"x"}}],"c":null}`)
		f.Add(place, `["canary",[[]],{"a":1e999}]`)
	}
	f.Add("$[*][*][*][*][*][*][*][*]", strings.Repeat("[", 2000)+strings.Repeat("]", 2000))
	f.Fuzz(func(t *testing.T, place, text string) {
		started := time.Now()
		value, err := kind.Read(place, text)
		if took := time.Since(started); took > 5*time.Second {
			t.Errorf("%q over %d bytes took %v", place, len(text), took)
		}
		if err != nil && (value != "" || strings.Contains(err.Error(), "canary") && !strings.Contains(place, "canary")) {
			t.Errorf("value or answer in spite of an error: %v", err)
		}
	})
}

// FuzzPlaceholders: what stands for a placeholder never leaves its place of a path.
func FuzzPlaceholders(f *testing.F) {
	for _, text := range []string{"/a/{id}/b", "{id}", "{{id}}", "{id:x}", "{expires:epoch_ms}", "{", "}", "{}", "{id", "a}b", "{label}{id}", "{{{id}}}"} {
		f.Add(text, "../x?y#z")
		f.Add(text, "..")
	}
	f.Fuzz(func(t *testing.T, text, id string) {
		v := map[string]any{"id": id, "value": credential.NewSensitive(id), "expires": time.Unix(1772366400, 0)}
		out, _, err := kind.Expand(text, []string{"id", "label", "expires"}, v)
		if err != nil {
			if out != "" {
				t.Errorf("%q in spite of an error", out)
			}
			return
		}
		plain, _, _ := kind.Expand(text, []string{"id", "label", "expires"}, map[string]any{"id": "x", "expires": time.Unix(1772366400, 0)})
		for _, c := range []string{"/", "?", "#", " ", "\n"} {
			if strings.Count(out, c) > strings.Count(plain, c) {
				t.Errorf("%q with %q becomes %q", text, id, out)
			}
		}
	})
}

// FuzzRecorded: any file of recorded answers ends in words, and those repeat no value of a body.
func FuzzRecorded(f *testing.F) {
	files, err := filepath.Glob("testdata/presets/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("steps: [{do: create, calls: [{request: GET https://api/c/x, answer: {secret: canary}}], expect: {issued: {bundle: {client_secret: x}}}}]"))
	f.Add([]byte("a: &a [*a]\nsteps: [{do: verify}]"))
	f.Add([]byte("steps: [{do: revoke, calls: [{json: {1: 2}}]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := slots()
		if err := kind.Play(&s, text); err != nil && strings.Contains(err.Error(), "secret: canary") {
			t.Errorf("the words repeat a body: %v", err)
		}
	})
}
