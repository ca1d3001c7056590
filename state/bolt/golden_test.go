package bolt_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

var update = flag.Bool("update", false, "write the golden file of a new schema; that of an old one never changes")

// golden is everything that a state file holds.
type golden struct {
	Meta     state.Meta
	Records  []credential.Record
	Archived credential.Record
	Notices  []credential.Notice
	Audit    []credential.Audit
}

func goldenFile(schema int, ext string) string {
	return filepath.Join("testdata", fmt.Sprintf("schema%d.%s", schema, ext))
}

// TestEverySchemaIsReadForEver opens the file that a rotad of each schema has left and finds in it what was written.
func TestEverySchemaIsReadForEver(t *testing.T) {
	for schema := 1; schema <= state.Schema; schema++ {
		t.Run(fmt.Sprint(schema), func(t *testing.T) {
			if *update {
				writeGolden(t, schema)
			}
			path := filepath.Join(t.TempDir(), "rotad.db")
			rewrite(t, path, content(t, goldenFile(schema, "db")))
			var want golden
			if err := json.Unmarshal(content(t, goldenFile(schema, "json")), &want); err != nil {
				t.Fatal(err)
			}
			s := open(t, path, bolt.Options{})
			same(t, "content", gather(t, s), want)
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
			r := want.Records[0]
			r.Missing++
			commit(t, s, credential.Change{Record: r}) // it can be written to as well
		})
	}
}

func gather(t *testing.T, s *bolt.Store) golden {
	t.Helper()
	g := golden{Meta: s.Meta()}
	g.Meta.Boot-- // by the one who asks
	var failed [4]error
	g.Records, failed[0] = s.List(t.Context(), "", 0)
	g.Archived, _, failed[1] = s.Archived(t.Context(), "left")
	g.Notices, failed[2] = s.ClaimNotices(t.Context(), moment().AddDate(1, 0, 0), 100)
	g.Audit, failed[3] = s.Audit(t.Context(), 0, 0)
	if err := errors.Join(failed[:]...); err != nil {
		t.Fatal(err)
	}
	return g
}

// writeGolden makes the golden file of the current schema, unless there is one.
func writeGolden(t *testing.T, schema int) {
	t.Helper()
	if _, err := os.Stat(goldenFile(schema, "db")); schema != state.Schema || !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rotad.db")
	s := open(t, path, bolt.Options{})
	for _, c := range goldenChanges() {
		r := commit(t, s, c)
		if r.Client.ID == "left" {
			commit(t, s, credential.Change{Record: r, Archive: true})
		}
	}
	if err := s.Backup(t.Context(), goldenFile(schema, "db")); err != nil {
		t.Fatal(err)
	}
	g := gather(t, s)
	g.Meta.Boot++
	b, err := json.MarshalIndent(g, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, goldenFile(schema, "json"), append(b, '\n'))
}

// goldenChanges use every field that matters to somebody.
func goldenChanges() []credential.Change {
	rich := registered(1, moment().Add(time.Hour))
	r := &rich.Record
	r.Client.Verify = credential.VerifySettings{Method: credential.VerifyAuthCode, Successes: 2, Interval: time.Second}
	r.Client.Probes = []credential.Probe{{URL: "https://billing.example.com/health", Expect: 204}}
	r.Client.Labels = map[string]string{"team": "a", "cost": "b"}
	r.Client.Vault.Fields = map[string]string{"client_secret": "OIDC_SECRET"}
	r.Rotation = &credential.Rotation{
		ID: "r1", Attempt: 2, Phase: credential.PhaseOverlap, Since: moment(), Client: r.Client, Started: moment(),
		Cause:  credential.Cause{Kind: credential.CauseRequested, Actor: "ana", Reason: "leak"},
		Policy: credential.Policy{Name: "default", Start: credential.StartAuto, Overlap: 72 * time.Hour, Warn: []credential.Warning{{Before: time.Hour}}},
		Caps:   r.Caps, Before: []credential.Secret{{ID: "k1", Start: moment()}}, Old: credential.Secret{ID: "k1", Never: true},
		Fence: 3, FenceAt: moment().Add(123456 * time.Microsecond), Unsettled: &credential.Moment{At: moment(), Boot: "b1", Elapsed: 5},
		New: credential.Secret{ID: "k2", Label: "x/r1/2", Hint: "abc"}, Staged: 4, Promoted: 9, PromotedAt: moment(), RevokeAfter: moment(),
	}
	r.Hold = &credential.Hold{Code: credential.HoldSecretLost, Since: moment(), Detail: "d", Deadline: moment(), Paging: true}
	r.Backoff = credential.Backoff{Attempts: 3, Until: moment(), Code: "busy", Error: "corp: create: busy", Since: moment()}
	r.Told = credential.Told{Secret: "k1", Warned: time.Hour, WarnedAt: moment(), Final: true}
	r.Calendar = credential.Calendar{UID: "u", Sequence: 2, At: moment(), Sent: true}
	r.Cleanup = &credential.Cleanup{Staging: []int{1, 2}, Consumer: []int{3}}
	rich.Watermark = moment()
	rich.Notices = []credential.Notice{{
		Key: "n1", Kind: credential.NoticeHeld, At: moment(), Client: r.Client.ID, Owner: "payments",
		Facts:    credential.Facts{Hold: r.Hold, VaultPath: r.Client.Vault, Labels: r.Client.Labels, Expires: moment()},
		Calendar: &credential.Invite{UID: "u", Sequence: 2, At: moment(), What: "rotation"}, DropAfter: moment().AddDate(0, 1, 0),
		Deliveries: []credential.Delivery{{Channel: "smtp", To: "a@example.com", State: credential.NoticePending, Attempts: 1, Next: moment()}},
	}}
	plain, left := registered(2, time.Time{}), registered(3, moment())
	left.Record.Client.ID = "left"
	return []credential.Change{rich, plain, left}
}
