package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

// decode collects what an import hands out.
func decode(t *testing.T, name, text string) ([]credential.Client, config.Problems) {
	t.Helper()
	var clients []credential.Client
	problems, err := config.DecodeClients(strings.NewReader(text), name, func(c credential.Client, line int) error {
		if want := fmt.Sprintf("%s:%d", name, line); c.Source != want {
			t.Errorf("the source is %q, want %q", c.Source, want)
		}
		clients = append(clients, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return clients, problems
}

const everyKey = `{"id":"a","provider":"p","ref":{"client_id":"a"},"owner":"o","policy":"q","vault":{"path":"apps/a",` +
	`"mount":"kv","namespace":"n","fields":{"client_secret":"S"}},"verify":{"method":"auth_code","auth":"post","scope":"s",` +
	`"successes":2,"interval":"1s","deadline":"5m"},"probes":[{"url":"https://a.example.com","expect":204}],` +
	`"expires":"2027-01-31","current_id":"k","allow_cutover":true,"bootstrap":true,"grace":"PT1H","keep_retired":true,` +
	`"renamed_from":"b","labels":{"x":"y"}}`

func TestImportReadsEveryKeyAlikeFromJSONAndYAML(t *testing.T) {
	want := credential.Client{
		ID: "a", Provider: "p", Ref: credential.Ref{"client_id": "a"}, Owner: "o", Policy: "q",
		Vault: credential.VaultPath{Namespace: "n", Mount: "kv", Path: "apps/a", Fields: map[string]string{"client_secret": "S"}},
		Verify: credential.VerifySettings{
			Method: credential.VerifyAuthCode, Auth: "post", Scope: "s", Successes: 2, Interval: time.Second,
			Deadline: 5 * time.Minute,
		},
		Probes:  []credential.Probe{{URL: "https://a.example.com", Expect: 204}},
		Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), CurrentID: "k", AllowCut: true, Bootstrap: true,
		Grace: time.Hour, KeepRetired: true, RenamedFrom: "b", Labels: map[string]string{"x": "y"}, Source: "f:1",
	}
	// JSON is YAML: the same text is read on both ways.
	for name, text := range map[string]string{"f": everyKey, "f.yaml": "clients: [" + everyKey + "]"} {
		clients, problems := decode(t, name, text)
		want.Source = name + ":1"
		if len(problems) != 0 || len(clients) != 1 || !reflect.DeepEqual(clients[0], want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", name, clients, problems, want)
		}
	}
}

func TestImportKeepsZeroWhatIsNotWritten(t *testing.T) {
	const least = `{"id":"a","provider":"p","owner":"o","vault":{"path":"x"}}`
	fromJSON, _ := decode(t, "f", least)
	fromYAML, _ := decode(t, "f", "clients:\n- "+least)
	if len(fromJSON) != 1 || len(fromYAML) != 1 {
		t.Fatal("nothing is handed out")
	}
	fromJSON[0].Source, fromYAML[0].Source = "", ""
	want := credential.Client{ID: "a", Provider: "p", Owner: "o", Vault: credential.VaultPath{Path: "x"}}
	if !reflect.DeepEqual(fromJSON[0], want) || !reflect.DeepEqual(fromYAML[0], want) {
		t.Errorf("got %+v and %+v", fromJSON[0], fromYAML[0])
	}
}

func TestImportNamesEachMistakeAndGoesOn(t *testing.T) {
	good := func(id string) string {
		return fmt.Sprintf(`{"id":%q,"provider":"p","owner":"o","vault":{"path":%q}}`, id, id)
	}
	tests := []struct{ rule, line, want string }{
		{"unknown key", `{"id":"x","providr":"p","owner":"o","vault":{"path":"x"}}`, `providr: unknown key, did you mean "provider"?`},
		{"unknown key below", `{"id":"x","provider":"p","owner":"o","vault":{"path":"x","mnt":"s"}}`, "vault.mnt: unknown key"},
		{"unknown key in an array", `{"id":"x","provider":"p","owner":"o","vault":{"path":"x"},"probes":[{"url":"https://a","x":[1,{"y":2}]}]}`, "probes.x: unknown key"},
		{"other letters", `{"ID":"x","provider":"p","owner":"o","vault":{"path":"x"}}`, `ID: unknown key, did you mean "id"?`},
		{"key given twice", `{"id":"x","id":"y","provider":"p","owner":"o","vault":{"path":"x"}}`, "id: is given twice"},
		{"key given twice below", `{"id":"x","provider":"p","owner":"o","vault":{"path":"x"},"labels":{"a":"1","b":"2","a":"3"}}`, "labels.a: is given twice"},
		{"key given twice, once escaped", `{"id":"x","provider":"p","owner":"o","vault":{"path":"x"},"labels":{"a":"1","\u0061":"3"}}`, "labels.a: is given twice"},
		{"escaped unknown key", `{"id":"x","provider":"p","owner":"o","vault":{"path":"x"},"a\"b":"1"}`, "unknown key"},
		{"wrong type", `{"id":5,"provider":"p","owner":"o","vault":{"path":"x"}}`, "id: is of the type number, not text"},
		{"wrong type below", `{"id":"x","provider":"p","owner":"o","vault":"x"}`, "vault: is of the type string, not an object"},
		{"wrong duration", `{"id":"x","provider":"p","owner":"o","vault":{"path":"x"},"grace":"1y"}`, "is not a duration"},
		{"duration without a unit", `{"id":"x","provider":"p","owner":"o","vault":{"path":"x"},"grace":5}`, "grace: is of the type number, not a duration"},
		{"wrong date", `{"id":"x","provider":"p","owner":"o","vault":{"path":"x"},"expires":"soon"}`, "is not a date"},
		{"missing", `{"id":"x"}`, "owner: is required"},
		{"wrong name", `{"id":"x y","provider":"p","owner":"o","vault":{"path":"x"}}`, "id: "},
		{"wrong word", `{"id":"x","provider":"p","owner":"o","vault":{"path":"x"},"verify":{"auth":"header"}}`, "verify.auth: "},
		{"not an object", `["x"]`, "is of the type array, not an object"},
		{"broken", `{"id":"x"`, "is not JSON: unexpected end of JSON input, write one object per line"},
		{"two on a line", `{"id":"x"} {"id":"y"}`, "is not JSON"},
		{"longer than a megabyte", `{"id":"` + strings.Repeat("x", 1<<20) + `"}`, "is longer than 1 MiB"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			clients, problems := decode(t, "f.ndjson", "\n"+good("a")+"\n"+test.line+"\r\n \n"+good("b"))
			if len(clients) != 2 || clients[0].ID != "a" || clients[1].ID != "b" || clients[1].Source != "f.ndjson:5" {
				t.Errorf("the good lines: %+v", clients)
			}
			if len(problems) == 0 || problems[0].Line != 3 || problems[0].File != "f.ndjson" ||
				!strings.Contains(problems.String(), test.want) {
				t.Errorf("got %v, want %s", problems, test.want)
			}
		})
	}
}

func TestImportOfYAMLNamesEachMistakeAndGoesOn(t *testing.T) {
	clients, problems := decode(t, "f.yml", `clients:
  - {id: a, provider: p, owner: o, vault: {path: a}}
  - {id: b, provider: p, owner: o, vault: {path: /b}}
  - {id: c, providr: p, owner: o, vault: {path: c}}
  -
  - {id: d, provider: p, owner: o, vault: {path: data/d}}
more: x
`)
	if len(clients) != 2 || clients[0].ID != "a" || clients[1].ID != "d" {
		t.Errorf("got %+v", clients)
	}
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	if fmt.Sprint(lines) != "[3 4 4 5 5 5 5 6 7]" {
		t.Errorf("problems at lines %v:\n%v", lines, problems)
	}
}

func TestImportEndsWhereYieldFails(t *testing.T) {
	broken := errors.New("the store is full")
	for name, text := range map[string]string{
		"f.ndjson": strings.Repeat(everyKey+"\n", 3),
		"f.yaml":   "clients:\n" + strings.Repeat("- "+everyKey+"\n", 3),
	} {
		count := 0
		problems, err := config.DecodeClients(strings.NewReader(text), name, func(credential.Client, int) error {
			count++
			return broken
		})
		if !errors.Is(err, broken) || count != 1 || len(problems) != 0 {
			t.Errorf("%s: got %v after %d, %v", name, err, count, problems)
		}
	}
}

func TestImportEndsWhereReadingFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, name := range []string{"f.ndjson", "f.yaml"} {
		r := io.MultiReader(strings.NewReader("{"), iotest.ErrReader(broken))
		if _, err := config.DecodeClients(r, name, nil); !errors.Is(err, broken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestImportGivesUpAfterAHundredProblems(t *testing.T) {
	for name, text := range map[string]string{
		"f.ndjson": strings.Repeat("{}\n", 1000),
		"f.yaml":   "clients:\n" + strings.Repeat("- {}\n", 1000),
	} {
		_, problems := decode(t, name, text)
		if n := len(problems); n < 100 || n > 110 || !strings.Contains(problems.String(), "more than 100 problems") {
			t.Errorf("%s: %d problems", name, n)
		}
	}
}

func TestImportOfNothingIsNothing(t *testing.T) {
	for _, name := range []string{"f", "f.yaml", "f.ndjson"} {
		if clients, problems := decode(t, name, ""); len(clients)+len(problems) != 0 {
			t.Errorf("%s: got %v, %v", name, clients, problems)
		}
	}
}

// rawClient is what the benchmark decodes into on the other side: the same keys, the plain types.
type rawClient struct {
	ID       string            `json:"id"`
	Provider string            `json:"provider"`
	Ref      map[string]string `json:"ref"`
	Owner    string            `json:"owner"`
	Policy   string            `json:"policy"`
	Vault    struct {
		Path      string            `json:"path"`
		Mount     string            `json:"mount"`
		Namespace string            `json:"namespace"`
		Fields    map[string]string `json:"fields"`
	} `json:"vault"`
	Verify struct {
		Method, Auth, Scope string
		Successes           int
		Interval, Deadline  string
	} `json:"verify"`
	Probes []struct {
		URL    string `json:"url"`
		Expect int    `json:"expect"`
	} `json:"probes"`
	Expires      time.Time         `json:"expires"`
	CurrentID    string            `json:"current_id"`
	AllowCutover bool              `json:"allow_cutover"`
	Bootstrap    bool              `json:"bootstrap"`
	Grace        string            `json:"grace"`
	KeepRetired  bool              `json:"keep_retired"`
	RenamedFrom  string            `json:"renamed_from"`
	Labels       map[string]string `json:"labels"`
}

func lines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"id":"client-%07d","provider":"corp","ref":{"client_id":"client-%07d"},"owner":"team-%d",`+
			`"vault":{"path":"apps/client-%07d/oidc"},"labels":{"system":"s%d"}}`+"\n", i, i, i%100, i, i%1000)
	}
	return b.Bytes()
}

const benchmarkLines = 100_000

func BenchmarkDecodeClients(b *testing.B) {
	data := lines(benchmarkLines)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		count := 0
		problems, err := config.DecodeClients(bytes.NewReader(data), "f.ndjson", func(credential.Client, int) error {
			count++
			return nil
		})
		if err != nil || len(problems) != 0 || count != benchmarkLines {
			b.Fatal(count, problems, err)
		}
	}
}

func BenchmarkRawDecode(b *testing.B) {
	data := lines(benchmarkLines)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		decoder := json.NewDecoder(bytes.NewReader(data))
		for count := 0; ; count++ {
			var c rawClient
			if err := decoder.Decode(&c); errors.Is(err, io.EOF) {
				if count != benchmarkLines {
					b.Fatal(count)
				}
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
