package canary_test

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/canary"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/proof"
	"github.com/rotad/rotad/providers"
)

// Sizes of the run. Every client has a first secret, which the daemon finds, reads in Vault and proves. Half of them get
// another one, and the first is retired; people are warned that the others end.
const (
	secretsVariable = "ROTAD_CANARY_SECRETS" // how many in all; unset = someSecrets
	someSecrets     = 2000
	mostClients     = 8000    // of one plant: what it says has to fit on a disk until it has been searched
	lanes           = 3       // plants that live side by side, as far as the tests' -parallel allows
	announcedEvery  = 5       // every so many plants, people are told of the rotations beforehand
	mostMemory      = 4 << 30 // up to which garbage may lie; of a million secrets, a third is what is looked for
)

// TestNoSecretOfTheWholePipelineLeavesIt lets rotad replace secrets by the thousand, or by the million, with servers that
// babble whatever they know when they fail, and searches everything that was said meanwhile: logs at their finest, mails,
// values and errors printed in every way, metrics, the admin API, what commands print, the state and its backups.
func TestNoSecretOfTheWholePipelineLeavesIt(t *testing.T) {
	want, err := strconv.Atoi(cmp.Or(os.Getenv(secretsVariable), strconv.Itoa(someSecrets)))
	if err != nil {
		t.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1500)) // memory is at hand, time is not
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(mostMemory))
	began := time.Now()
	l := &canary.Ledger{}
	run := &pipeline{ledger: l, search: canary.NewSearch(l, 3*want), rotad: builtRotad(t), tally: map[string]int{}}
	for run.secrets < want && !t.Failed() {
		run.planned = run.secrets // plants that had less than they should are made up for
		t.Run("plants", func(t *testing.T) { run.lanes(t, want) })
	}
	r, err := run.search.Report()
	if err != nil {
		t.Fatal(err)
	}
	for _, hit := range r.Hits[:min(20, len(r.Hits))] {
		t.Error(hit)
	}
	t.Logf("%d client secrets of %d plants in %s; %s: %d hits, searched in %s; %v", run.secrets, run.plants,
		time.Since(began).Round(time.Second), r, len(r.Hits), run.searching.Round(time.Millisecond), run.tally)
	if want < someSecrets*10 {
		return
	}
	result := r.Proof(run.searching)
	result.Took = time.Since(began)
	result.Figures = append([]proof.Figure{{
		Name: "client secrets through the pipeline", Value: strconv.Itoa(run.secrets), Goal: "1000000", OK: run.secrets >= 1_000_000,
	}}, result.Figures...)
	if err := proof.Write("canary", result); err != nil {
		t.Error(err)
	}
}

// pipeline is a run over many plants, some of which live side by side.
type pipeline struct {
	ledger *canary.Ledger
	search *canary.Search
	rotad  string // the program, for its commands

	// learning is held by who lets the search learn, and for reading by who searches.
	learning sync.RWMutex

	mu        sync.Mutex
	planned   int // secrets of the clients of all plants that have begun
	secrets   int // of the clients of those that have ended
	plants    int
	searching time.Duration
	tally     map[string]int
}

// lanes lets plants live until there are as many secrets as are wanted.
func (r *pipeline) lanes(t *testing.T, want int) {
	t.Helper()
	for range lanes {
		t.Run("lane", func(t *testing.T) {
			t.Parallel()
			for number, clients := r.next(want); clients > 0; number, clients = r.next(want) {
				r.plant(t, number, clients)
			}
		})
	}
}

// next returns the number of the plant that is to begin, and of its clients; none = there are enough.
func (r *pipeline) next(want int) (number, clients int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.planned >= want {
		return 0, 0
	}
	clients = min(mostClients, max(60, (want-r.planned)*2/3+1))
	r.planned += clients * 3 / 2
	r.plants++
	return r.plants - 1, clients
}

// plant lets the clients of one plant live for the length of a secret's life. It is searched when it has ended, so that
// nothing is said behind the search's back.
func (r *pipeline) plant(t *testing.T, number, clients int) {
	t.Helper()
	p := newPlant(t, r.ledger, clients)
	p.run(func() {
		p.pass(0) // the first look
		p.generation(number%announcedEvery == 0)
		p.scrape()
		r.commands(p)
		if number == 0 { // once is enough
			p.chains()
		}
	})
	took := r.searchAll(p)
	got := p.cast.secrets()
	if got < clients*14/10 {
		t.Fatalf("%d clients had %d secrets: the pipeline stands still", clients, got)
	}
	p.must(os.RemoveAll(p.dir))
	r.mu.Lock()
	defer r.mu.Unlock()
	for effect, n := range p.watch.done {
		r.tally[string(effect)] += n
	}
	r.tally["failed"] += p.watch.wrong
	r.secrets += got
	r.searching += took
}

// searchAll searches what a plant has left for every secret that there has been up to its end, of other plants too. It
// returns how long that took. A secret that is made later cannot stand there.
func (r *pipeline) searchAll(p *plant) time.Duration {
	p.t.Helper()
	for _, s := range []*spool{p.log, p.mails, p.posts, p.dumps, p.answers, p.errors} {
		p.must(s.close())
	}
	if info, err := os.Stat(p.posts.file.Name()); err != nil || info.Size() == 0 {
		p.t.Errorf("nothing was posted: %v", err)
	}
	r.learning.Lock()
	err := r.search.Learn()
	r.learning.Unlock()
	p.must(err)
	r.learning.RLock()
	defer r.learning.RUnlock()
	began := time.Now()
	p.must(r.search.Files(p.dir))
	return time.Since(began)
}

// commands lets the program itself ask this process, as people do.
func (r *pipeline) commands(p *plant) {
	p.t.Helper()
	id := clientOf(p.clients - 1).ID
	for _, args := range [][]string{
		{"status"},
		{"status", "--json"},
		{"show", id},
		{"show", id, "--json"},
		{"history", id},
		{"history", id, "--json"},
		{"rotate", id},
		{"show", "nobody"},
	} {
		cmd := exec.CommandContext(p.t.Context(), r.rotad, append([]string{"--socket", "unix:" + p.socket, "--config", "/nonexistent"}, args...)...)
		text, err := cmd.CombinedOutput()
		if len(text) == 0 {
			p.t.Errorf("rotad %s: %v, and not a word", strings.Join(args, " "), err)
		}
		p.answers.printf("rotad %v: %v\n%s\n", args, err, text)
	}
}

// chains lets every adapter and the Vault client fail at everything, with servers that tell all that they know, and prints
// the errors in every way.
func (p *plant) chains() {
	p.t.Helper()
	links, err := p.cast.connections(p.clock.elapsed, 1)
	p.must(err)
	p.vaultChains()
	for i := range 10 {
		c := clientOf(i)
		value, _ := p.cast.kv.Current("secret", c.Vault.Path)
		bundle := credential.Bundle{}
		for field, v := range value {
			bundle[field] = credential.NewSensitive(fmt.Sprint(v))
		}
		target := providers.Target{Client: c.ID, Ref: c.Ref, Verify: c.Verify}
		for range 24 {
			provider := links[c.Provider].Provider
			p.errors.verbs(target, bundle)
			snapshot, err := provider.Inspect(p.t.Context(), target)
			p.errors.verbs(snapshot, err)
			issued, err := provider.Create(p.t.Context(), target, providers.Request{Label: "chains", Proposed: bundle})
			p.errors.verbs(issued, err)
			answer, err := provider.Verify(p.t.Context(), target, bundle)
			p.errors.verbs(answer, err)
		}
	}
}

// vaultChains is the same with Vault.
func (p *plant) vaultChains() {
	p.t.Helper()
	client := p.openVault(1, slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for i := range 72 {
		c := clientOf(i % p.clients)
		value := credential.Bundle{"client_secret": credential.NewSensitive(rand.Text() + rand.Text())}
		p.cast.note("a value for Vault alone", value.Secret().Reveal())
		entry, err := client.Staging(p.t.Context(), c.ID)
		p.errors.verbs(entry, err)
		consumer, err := client.Consumer(p.t.Context(), c.Vault, 0)
		p.errors.verbs(consumer, err)
		staging := credential.Staging{Client: c.ID, Phase: credential.StagingStaged, Bundle: value, Raw: value.Secret()}
		_, _, err = client.Stage(p.t.Context(), c.ID, 0, staging)
		p.errors.verbs(staging, err)
		_, _, err = client.Promote(p.t.Context(), c.Vault, 1000+i, value)
		p.errors.verbs(err)
	}
}

// builtRotad builds the program.
func builtRotad(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rotad")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", file, "../../cmd/rotad")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return file
}

// A log that gives one secret away, in base64, is found out among all that the pipeline says.
func TestAPlantedLeakIsFoundAmongEverything(t *testing.T) {
	l := &canary.Ledger{}
	p := newPlant(t, l, 20)
	leaked := 0
	p.cast.leak = func(number int, value string) {
		if leaked == 0 {
			leaked = number
			p.log.printf(`{"level":"DEBUG","msg":"request","authorization":"Basic %s"}`+"\n",
				base64.StdEncoding.EncodeToString([]byte("billing-api:"+value)))
		}
	}
	p.run(func() {
		p.pass(0)
		p.generation(true)
	})
	s := canary.NewSearch(l, 1000)
	if err := errors.Join(p.log.close(), s.Learn(), s.Files(p.dir)); err != nil {
		t.Fatal(err)
	}
	r, err := s.Report()
	if err != nil || len(r.Hits) != 1 || r.Hits[0].Secret != leaked || r.Hits[0].File != filepath.Join(p.dir, "rotad.log") ||
		!strings.HasPrefix(r.Hits[0].Shape, "base64") {
		t.Errorf("%v, %v; leaked #%d", r.Hits[:min(3, len(r.Hits))], err, leaked)
	}
}
