package http_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/providers"
	kind "github.com/rotad/rotad/providers/http"
)

// replies is a transport that answers by method and path, and keeps what was sent. What it does not know is 404.
type replies struct {
	answers map[string]string // "GET /path" -> "200 {...}"
	date    string
	sent    []string // method, path, query, body
}

func (r *replies) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	r.sent = append(r.sent, strings.TrimSpace(req.Method+" "+req.URL.RequestURI()+" "+string(body)))
	status, text := http.StatusNotFound, "{}"
	if answer, ok := r.answers[req.Method+" "+req.URL.EscapedPath()]; ok {
		_, _ = fmt.Sscanf(answer, "%d", &status)
		text = strings.TrimPrefix(answer[3:], " ")
	}
	h := http.Header{}
	if r.date != "" {
		h.Set("Date", r.date)
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: io.NopCloser(strings.NewReader(text)), Request: req,
	}, nil
}

const noon = "Sun, 01 Mar 2026 12:00:00 GMT"

// slots describes an API with two slots.
func slots() kind.Settings {
	return kind.Settings{
		Preset: "none", URL: "https://api", Mode: "grace-window", Access: kind.Access{TokenEnv: "T"},
		Inspect: kind.Look{
			Call: kind.Call{Path: "/c/{id}"}, Required: "$.required", Disabled: "$.off",
			Current:  kind.Fields{Exists: "$.has", Start: "$.start", Expires: "$.expires"},
			Previous: kind.Fields{Start: "$.old.start", Expires: "$.old.expires"},
		},
		Create: kind.Make{
			Call: kind.Call{Path: "/c/{id}/rotate"},
			Answer: kind.Answer{
				Fields: kind.Fields{Value: "$.secret", Start: "$.start", Expires: "$.expires"}, OldDies: "$.old.expires",
			},
		},
		Verify: kind.Proof{TokenURL: "{url}/token"},
	}
}

func expectClass(t *testing.T, err error, want providers.Class) {
	t.Helper()
	if got := providers.ClassOf(err); got != want {
		t.Errorf("class %q, want %q (%v)", got, want, err)
	}
}

func TestHowAnswersSayThatThereIsASecret(t *testing.T) {
	for body, test := range map[string]struct {
		ids   []string
		class providers.Class
	}{
		`{"start":"2026-03-01T12:00:00.7Z"}`:                      {ids: []string{"start-1772366400"}},
		`{"start":1772366400}`:                                    {ids: []string{"start-1772366400"}},
		`{"start":1772366400000}`:                                 {ids: []string{"start-1772366400"}},
		`{"start":"1772366400"}`:                                  {ids: []string{"start-1772366400"}},
		`{"start":"2026-03-01T13:00:00+01:00","old":{"start":1}}`: {ids: []string{"start-1772366400"}},
		`{"start":1772366400,"old":{"start":1772366300}}`:         {ids: []string{"start-1772366400", "start-1772366300"}},
		`{"has":true}`:                                            {ids: []string{""}},
		`{"has":false}`:                                           {ids: []string{}},
		`{"start":null}`:                                          {ids: []string{}},
		`{"start":"0001-01-01T00:00:00Z"}`:                        {class: providers.ClassUnavailable},
		`{"born":"2026-03-01T12:00:00Z"}`:                         {class: providers.ClassUnavailable},
		`[]`:                                                      {class: providers.ClassUnavailable},
		`"text"`:                                                  {class: providers.ClassUnavailable},
		`{"has":true,"error":{"code":"x"}}`:                       {class: providers.ClassUnavailable},
		`{"start":"yesterday","has":true}`:                        {ids: []string{""}},
		`{"start":9e99,"has":true}`:                               {ids: []string{""}},
		`{"start":-5,"has":true,"old":{"expires":"9999-01-01T00:00"}}`: {ids: []string{""}},
	} {
		t.Run(body, func(t *testing.T) {
			p := open(t, slots(), &replies{answers: map[string]string{"GET /c/x": "200 " + body}})
			seen, err := p.Inspect(t.Context(), target("x"))
			expectClass(t, err, test.class)
			if len(seen.Secrets) != len(test.ids) {
				t.Fatalf("%+v, want %q", seen.Secrets, test.ids)
			}
			for i, s := range seen.Secrets {
				if s.ID != test.ids[i] {
					t.Errorf("id %q, want %q", s.ID, test.ids[i])
				}
			}
		})
	}
}

func TestWhatExpiriesMean(t *testing.T) {
	end := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	for body, test := range map[string]struct {
		unit  string
		want  time.Time
		never bool
	}{
		`"2027-03-01T12:00:00Z"`:   {want: end},
		`"2027-03-01T12:00:00"`:    {want: end},
		`1803902400`:               {want: end},
		`"1803902400"`:             {want: end}, // Keycloak's attributes
		`1803902400000`:            {want: end},
		`1803902400.5`:             {unit: "seconds", want: end.Add(500 * time.Millisecond)},
		`946684800000`:             {unit: "milliseconds", want: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)},
		`31536000`:                 {unit: "lifetime", want: end}, // from the start
		`"31536000"`:               {unit: "lifetime", want: end},
		`1e12`:                     {unit: "lifetime"},
		`null`:                     {never: true},
		`0`:                        {never: true},
		`"0"`:                      {never: true},
		`""`:                       {never: true},
		`false`:                    {never: true},
		`-1`:                       {never: true},
		`"0001-01-01T00:00:00Z"`:   {never: true},
		`"soon"`:                   {},
		`{"at":1803902400}`:        {},
		`["2027-03-01T12:00:00Z"]`: {},
	} {
		t.Run(test.unit+body, func(t *testing.T) {
			s := slots()
			s.Inspect.Current.Unit = test.unit
			answer := `200 {"start":"2026-03-01T12:00:00Z","expires":` + body + `}`
			seen, err := open(t, s, &replies{answers: map[string]string{"GET /c/x": answer}}).Inspect(t.Context(), target("x"))
			if err != nil {
				t.Fatal(err)
			}
			if got := seen.Secrets[0]; !got.Expires.Equal(test.want) || got.Never != test.never {
				t.Errorf("expires %v, never %t; want %v, %t", got.Expires, got.Never, test.want, test.never)
			}
		})
	}
	missing := open(t, slots(), &replies{answers: map[string]string{"GET /c/x": `200 {"has":true}`}})
	if seen, err := missing.Inspect(t.Context(), target("x")); err != nil || seen.Secrets[0].Never {
		t.Errorf("what is not said is not never: %+v, %v", seen.Secrets, err)
	}
}

func TestWhatTheProviderAsksFor(t *testing.T) {
	for body, want := range map[string]time.Time{
		`{"has":true,"required":true}`:                   time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), // now
		`{"has":true,"required":"2026-05-01T00:00:00Z"}`: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
		`{"has":true,"required":false}`:                  {},
		`{"has":true,"required":"true"}`:                 {},
		`{"has":true}`:                                   {},
	} {
		r := &replies{answers: map[string]string{"GET /c/x": "200 " + body}, date: noon}
		if seen, err := open(t, slots(), r).Inspect(t.Context(), target("x")); err != nil || !seen.Caps.Required.Equal(want) {
			t.Errorf("%s: required %v, want %v (%v)", body, seen.Caps.Required, want, err)
		}
	}
	r := &replies{answers: map[string]string{"GET /c/x": `200 {"has":true,"off":true}`}}
	if seen, _ := open(t, slots(), r).Inspect(t.Context(), target("x")); !seen.Caps.Disabled {
		t.Error("a client that is switched off")
	}
}

// TestTheGraceIsNeverGuessed: what answers show, else what is stated; what the request states is that.
func TestTheGraceIsNeverGuessed(t *testing.T) {
	const shown = `200 {"start":"2026-03-01T12:00:00Z","old":{"start":"2025-03-01T12:00:00Z","expires":"2026-03-04T12:00:00Z"}}`
	for name, test := range map[string]struct {
		answer          string
		client, setting time.Duration
		sends           bool
		want            time.Duration
	}{
		"shown":                        {answer: shown, client: day, setting: 2 * day, want: 3 * day},
		"stated for the client":        {answer: `200 {"has":true}`, client: day, setting: 2 * day, want: day},
		"stated for the provider":      {answer: `200 {"has":true}`, setting: 2 * day, want: 2 * day},
		"not known":                    {answer: `200 {"has":true}`},
		"what the request itself says": {answer: shown, client: day, sends: true, want: day},
	} {
		t.Run(name, func(t *testing.T) {
			s := slots()
			s.Grace = test.setting
			if test.sends {
				s.Create.JSON = map[string]any{"until": "{grace_end}"}
			}
			to := target("x")
			to.Grace = test.client
			seen, err := open(t, s, &replies{answers: map[string]string{"GET /c/x": test.answer}}).Inspect(t.Context(), to)
			if err != nil || seen.Caps.Grace != test.want {
				t.Errorf("grace %v, want %v (%v)", seen.Caps.Grace, test.want, err)
			}
		})
	}
}

// TestACreateIsNotSentWithoutWhatItStates: the old secret would end at once.
func TestACreateIsNotSentWithoutWhatItStates(t *testing.T) {
	for name, test := range map[string]struct {
		json  map[string]any
		date  string
		grace time.Duration
		r     providers.Request
		class providers.Class
		sent  string // of the create; empty = it is not sent
	}{
		"no grace":       {json: map[string]any{"until": "{grace_end}"}, date: noon, class: providers.ClassRejected},
		"no grace, time": {json: map[string]any{"hours": "{grace:hours}"}, date: noon, class: providers.ClassRejected},
		"no clock":       {json: map[string]any{"until": "{grace_end}"}, grace: day, class: providers.ClassUnavailable},
		"no clock for a lifetime": {
			json: map[string]any{"life": "{lifetime}s"}, r: providers.Request{Expires: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)},
			class: providers.ClassUnavailable,
		},
		"an end that has passed": {
			json: map[string]any{"end": "{expires}"}, date: noon, r: providers.Request{Expires: time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)},
			class: providers.ClassRejected,
		},
		"no parent": {json: map[string]any{"env": "{parent}"}, class: providers.ClassRejected},
		"all there": {
			json: map[string]any{"until": "{grace_end}", "ms": "{grace_end:epoch_ms}", "hours": "{grace:hours}", "label": "{label}", "why": "{reason}"},
			date: noon, grace: day - time.Second, r: providers.Request{Label: "rotad-1"},
			sent: `POST /c/x/rotate {"hours":24,"label":"rotad-1","ms":1772452799000,"until":"2026-03-02T11:59:59Z"}`,
		},
		"lists and literals": {
			json: map[string]any{"l": []any{"{label}", "{reason}", "{{x}}", 1, true, nil}},
			sent: `POST /c/x/rotate {"l":["{x}",1,true,null]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := slots()
			s.Create.JSON = test.json
			r := &replies{date: test.date, answers: map[string]string{
				"GET /c/x": `200 {"has":true}`, "POST /c/x/rotate": `200 {"secret":"s","start":1772366400,"expires":1803902400}`,
			}}
			to := target("x")
			to.Grace = test.grace
			_, err := open(t, s, r).Create(t.Context(), to, test.r)
			expectClass(t, err, test.class)
			var posted []string
			for _, one := range r.sent {
				if strings.HasPrefix(one, "POST") {
					posted = append(posted, one)
				}
			}
			if strings.Join(posted, "|") != test.sent {
				t.Errorf("sent %q, want %q", posted, test.sent)
			}
		})
	}
}

// TestARefStaysInItsPlace: whatever a ref says, the request goes where the description says.
func TestARefStaysInItsPlace(t *testing.T) {
	for id, want := range map[string]string{
		"a/b": "/c/a%2Fb", "..": "/c/%2E%2E", ".": "/c/%2E", "a?x=1#y": "/c/a%3Fx=1%23y", "ü b": "/c/%C3%BC%20b", "{id}": "/c/%7Bid%7D", "a%2Fb": "/c/a%252Fb",
	} {
		r := &replies{}
		_, err := open(t, slots(), r).Inspect(t.Context(), target(id))
		expectClass(t, err, providers.ClassNotFound)
		if len(r.sent) != 1 || r.sent[0] != "GET "+want {
			t.Errorf("%q: sent %q, want %s", id, r.sent, want)
		}
	}
	s := slots()
	s.Inspect.Headers = map[string]string{"X-Client": "{id}"}
	r := &replies{}
	_, err := open(t, s, r).Inspect(t.Context(), target("a\r\nX-Evil: 1"))
	if expectClass(t, err, providers.ClassRejected); len(r.sent) != 0 {
		t.Errorf("sent %q", r.sent)
	}
	_, err = open(t, s, r).Inspect(t.Context(), providers.Target{})
	expectClass(t, err, providers.ClassRejected)
}

func TestRulesSayWhatAnswersMean(t *testing.T) {
	s := slots()
	s.Errors = []kind.Rule{
		{On: []string{"create"}, Status: []int{400}, Path: "$.code", Is: []string{"limit", "7"}, Means: "quota"},
		{On: []string{"create"}, Path: "$.status", Is: []string{"error"}, Means: "rejected"},
		{On: []string{"create"}, Status: []int{500}, Path: "$.code", Is: []string{"not-done"}, Means: "busy"},
		{On: []string{"create"}, Status: []int{422}, Means: "conflict"},
		{Path: "$.gone", Means: "not-found"},
	}
	for answer, want := range map[string]providers.Class{
		`400 {"code":"limit"}`:                    providers.ClassQuota,
		`400 {"code":7}`:                          providers.ClassQuota,
		`400 {"code":"other"}`:                    providers.ClassRejected,
		`200 {"status":"error","secret":"s"}`:     providers.ClassRejected,
		`500 {"code":"not-done"}`:                 providers.ClassBusy,
		`500 {"code":"other"}`:                    providers.ClassIndeterminate,
		`500 {"code":"not-done"`:                  providers.ClassIndeterminate, // not the API's own words
		`422 {}`:                                  providers.ClassConflict,
		`404 {}`:                                  providers.ClassNotFound,
		`403 {"gone":true}`:                       providers.ClassNotFound,
		`403 {"gone":false}`:                      providers.ClassAuth,
		`200 {"secret":""}`:                       providers.ClassNotUnderstood,
		`200 {"error":{"code":1},"secret":"s"}`:   providers.ClassNotUnderstood,
		`200 {"secret":"s","start":1,"expires":0`: providers.ClassNotUnderstood,
	} {
		r := &replies{answers: map[string]string{"GET /c/x": `200 {"has":true,"status":"error","code":"limit"}`, "POST /c/x/rotate": answer}}
		issued, err := open(t, s, r).Create(t.Context(), target("x"), providers.Request{})
		expectClass(t, err, want)
		if (want == providers.ClassNotUnderstood) == issued.Raw.Empty() {
			t.Errorf("%s: the answer is kept: %t", answer, !issued.Raw.Empty())
		}
	}
}

func TestAListIsReadWhole(t *testing.T) {
	s := graph("https://graph")
	s.Access = kind.Access{TokenEnv: "T"}
	s.Inspect.Query = map[string]string{"page": "{page}"}
	s.Inspect.Next = "$.next"
	const path = "GET /graph/v1.0/applications%28appId=%27x%27%29"
	for body, class := range map[string]providers.Class{
		`{"passwordCredentials":[{"keyId":"a"},{"keyId":"b"}]}`: "",
		`{"passwordCredentials":[]}`:                            "",
		`{}`:                                                    "",
		`{"value":[]}`:                                          providers.ClassUnavailable,
		`{"passwordCredentials":null}`:                          providers.ClassUnavailable,
		`{"passwordCredentials":[{"keyId":""}]}`:                providers.ClassUnavailable,
		`{"passwordCredentials":["a"]}`:                         providers.ClassUnavailable,
		`{"passwordCredentials":[{"keyId":"a"},{"keyId":"a"}]}`: providers.ClassUnavailable,
		`{"passwordCredentials":[{"keyId":"current"}]}`:         providers.ClassUnavailable, // a slot is not an id
		`{"passwordCredentials":[],"next":"again"}`:             providers.ClassUnavailable, // for ever
		`{"passwordCredentials":[{"keyId":90071992547409931}]}`: "",
	} {
		r := &replies{answers: map[string]string{path: "200 " + body, "GET /graph/v1.0/applications(appId='x')": "200 " + body}}
		seen, err := open(t, s, r).Inspect(t.Context(), target("x"))
		expectClass(t, err, class)
		if strings.Contains(body, "9007") && (len(seen.Secrets) != 1 || seen.Secrets[0].ID != "90071992547409931") {
			t.Errorf("a long id loses digits: %+v", seen.Secrets)
		}
		if len(r.sent) > 20 {
			t.Errorf("%d requests", len(r.sent))
		}
	}
}
