package exec

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

const (
	schemaFile = "../../docs/reference/exec.schema.json"
	pageFile   = "../../docs/reference/exec.md"
)

// definitions are the messages of the schema, each with the type that it describes.
var definitions = map[string]any{
	"call": call{}, "target": target{}, "verify": verify{}, "request": request{}, "reply": reply{}, "fault": fault{},
	"description": description{}, "snapshot": snapshot{}, "capabilities": capabilities{}, "secret": secret{}, "issued": issued{},
	"finding": finding{},
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The schema has the members of the types, no more and no less, and demands those that are always written.
func TestTheSchemaDescribesTheTypes(t *testing.T) {
	var schema struct {
		Defs map[string]struct {
			Required   []string                   `json:"required"`
			Properties map[string]json.RawMessage `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(read(t, schemaFile)), &schema); err != nil {
		t.Fatal(err)
	}
	for name, message := range definitions {
		var members, required []string
		for field := range reflect.TypeOf(message).Fields() {
			member, option, _ := strings.Cut(field.Tag.Get("json"), ",")
			members = append(members, member)
			if option == "" {
				required = append(required, member)
			}
		}
		described := schema.Defs[name]
		for member := range described.Properties {
			if !slices.Contains(members, member) {
				t.Errorf("%s: the type has no %s", name, member)
			}
		}
		if len(described.Properties) != len(members) {
			t.Errorf("%s: %d members in the schema, %d in the type", name, len(described.Properties), len(members))
		}
		slices.Sort(required)
		if slices.Sort(described.Required); !slices.Equal(described.Required, required) {
			t.Errorf("%s: the schema demands %v, the type writes %v", name, described.Required, required)
		}
	}
}

func compiled(t *testing.T, definition string) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(read(t, schemaFile)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("exec.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("exec.json#/$defs/" + definition)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var example = regexp.MustCompile("(?s)```json\n(.*?)```")

// Every message that the page shows is one: by the schema, by the types, and as the types would write it. All operations
// and all members are shown.
func TestThePageShowsEveryMessage(t *testing.T) {
	asked, shown := map[string]bool{}, map[string]bool{}
	page := read(t, pageFile)
	for _, m := range example.FindAllStringSubmatch(page, -1) {
		text, definition := m[1], "reply"
		if strings.Contains(text, `"operation":`) {
			definition = "call"
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if err := compiled(t, definition).Validate(value); err != nil {
			t.Errorf("%v: %s", err, text)
		}
		note(shown, value)
		if definition == "call" {
			var c call
			d := json.NewDecoder(strings.NewReader(text))
			d.DisallowUnknownFields()
			if err := d.Decode(&c); err != nil {
				t.Errorf("%v: %s", err, text)
			}
			asked[c.Operation] = true
			continue
		}
		if _, err := decodeStrict(credential.NewSensitive(text)); err != nil {
			t.Errorf("%v: %s", err, text)
		}
	}
	for _, operation := range []string{opDescribe, opInspect, opCreate, opVerify, opRecover, opRevoke, opCheck, opDecode} {
		if !asked[operation] || !strings.Contains(page, "### "+operation+"\n") {
			t.Errorf("%s is not shown", operation)
		}
	}
	for name, message := range definitions {
		for field := range reflect.TypeOf(message).Fields() {
			if member, _, _ := strings.Cut(field.Tag.Get("json"), ","); !shown[member] {
				t.Errorf("%s.%s is not shown", name, member)
			}
		}
	}
	for _, class := range append(slices.Clone(definite), "indeterminate", "not-understood") {
		if !strings.Contains(page, "| `"+string(class)+"` |") {
			t.Errorf("the class %s is not explained", class)
		}
	}
}

// note notes the names of all members.
func note(names map[string]bool, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			names[name] = true
			note(names, inner)
		}
	case []any:
		for _, inner := range value {
			note(names, inner)
		}
	}
}

// What the schema refuses are mistakes that the decoding refuses as well.
func TestSchemaAndDecodingRefuseTheSame(t *testing.T) {
	s := compiled(t, "reply")
	for _, text := range []string{
		`{"protocol":2,"answer":"accepted"}`, `{"answer":"accepted"}`, `{"protocol":1,"answer":"accepted","error":{"class":"auth"}}`,
		`{"protocol":1,"snapshot":{"capabilities":{"mode":"two-slot","reason":"x","mod":1},"client_id":"","secrets":[]}}`,
		`{"protocol":1,"findings":[{"what":7}]}`, `{"protocol":1,"describe":{"name":"x","operations":"create"}}`,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		_, decodeErr := decodeStrict(credential.NewSensitive(text))
		if err := s.Validate(value); err == nil || decodeErr == nil {
			t.Errorf("%s: schema %v, decoding %v", text, err, decodeErr)
		}
	}
}

// What rotad writes is by the schema.
func TestCallsAreByTheSchema(t *testing.T) {
	full := clientBy("client_id", "billing")
	full.Verify.Scope, full.Grace = "api", time.Hour
	s := compiled(t, "call")
	for _, c := range []call{
		{Operation: opDescribe},
		{Operation: opInspect, Target: targetOf(providers.Target{}), Credential: clearOf("x")},
		{Operation: opCreate, Target: targetOf(full), Request: &request{Label: "l", Expires: moment(time.Unix(1772362800, 0)), Proposed: clears(bundle("a", "b"))}},
		{Operation: opCreate, Target: targetOf(full), Request: &request{}},
		{Operation: opVerify, Target: targetOf(full), Bundle: clears(bundle("a", `<&>"`))},
		{Operation: opDecode, Target: targetOf(full), Raw: clearOf("<html>")},
	} {
		c.Protocol, c.Provider, c.Timeout = protocol, "portal", 0.5
		text, err := encode(c)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
		if err != nil || strings.Contains(string(text), "\n") || strings.Contains(string(text), `\u003c`) {
			t.Errorf("%v: %s", err, text)
		}
		if err := s.Validate(value); err != nil {
			t.Errorf("%v: %s", err, text)
		}
	}
}
