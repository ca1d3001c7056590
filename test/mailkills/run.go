package mailkills

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/proof"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// Settings are the size of a run.
type Settings struct {
	Kills int    // while one notice is told after the other, and a tenth as many while some, and while many, are told at once
	Seed  uint64 // of what is left to chance: where, and when
}

// regime is how much there is to tell at once.
type regime struct {
	name    string
	clients int // that all notices are about: the daemon tells those of one client one after the other
	enough  int // notices: where fewer are due, more are planned
	more    int // notices at each supply, each for two people
	digests int // at each supply, beside the notices
	kills   int
	exposes int // mails that one kill may expose: how many the daemon hands over at once
}

// speaking is how many mails the daemon hands over at once, and many how many notices let it wait for no disk meanwhile.
const (
	speaking = 4
	many     = 256
)

// The notices of a supply are more than a life can send, with those of its digests too.
func (s Settings) regimes() []regime {
	few := max(4, s.Kills/10)
	return []regime{
		{name: "one", clients: 1, enough: 80, more: 300, kills: s.Kills, exposes: 1},
		{name: "some", clients: 24, enough: 80, more: many - 80 - 10*each - 1, digests: 10, kills: few, exposes: speaking},
		{name: "many", clients: 2 * many, enough: 3 * many / 2, more: 2 * many, kills: few, exposes: speaking},
	}
}

// sender is who all mails come from.
const sender = "secrets@rotad.test"

// campaign is a run: the world, what people have to get, and what has happened.
type campaign struct {
	*world.World
	regime
	server  *servers.Scripted
	program string
	dice    *rand.Rand
	sample  credential.Notice // what all notices are made from

	renderer *notify.Renderer // names messages as the daemon does
	owed     map[string]bool  // by Message-ID: what people have to get
	notices  int              // rows of the outbox that were planned

	copies  map[string]int // by Message-ID: what the server has taken
	counted int            // mails of the server that are in copies
	exposed map[string]int // by Message-ID: the kills that found it taken and not written down
	most    int            // mails that one kill has exposed
	points  map[string]int // kills by where they came
	lives   []time.Duration
}

// Run kills as often as asked in each regime, lets the daemon end its work, and judges. Program is a daemon with its points to die
// at; $ROTAD_TEST_BINARY names it as well, because without the variable that arms its points it is like any other.
func Run(t *testing.T, shared *world.Run, program string, s Settings) {
	t.Helper()
	began := time.Now()
	figures := make([][]proof.Figure, len(s.regimes()))
	t.Run("kills", func(t *testing.T) {
		for i, r := range s.regimes() {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				figures[i] = newCampaign(t, shared, r, program, s.Seed).run()
			})
		}
	})
	if s.Kills < fullSize {
		return
	}
	if err := proof.Write("mails", proof.Result{Seeds: fmt.Sprint(s.Seed), Took: time.Since(began), Figures: slices.Concat(figures...)}); err != nil {
		t.Error(err)
	}
}

func (c *campaign) run() []proof.Figure {
	c.begin()
	for range c.kills {
		c.supply()
		c.die(c.next())
		c.look()
	}
	c.rest()
	return c.report(c.judge())
}

func newCampaign(t *testing.T, shared *world.Run, r regime, program string, seed uint64) *campaign {
	t.Helper()
	w := world.NewInMemory(t, shared, "mailkills-"+r.name)
	server, err := servers.StartScripted(w.Dir)
	w.Must(err)
	t.Cleanup(server.Stop)
	server.NoteOnly()
	w.Config.SMTP = world.Block{
		"host": "127.0.0.1", "port": server.Port, "username": servers.MailUser, "from": "Secrets <" + sender + ">", "helo": "rotad.rotad.test",
		"password_file": w.WriteSecret("smtp-password", servers.MailPassword), "ca_cert_file": server.CAFile,
	}
	w.Config.Log = world.Block{"level": "warn", "format": "json"}
	w.Config.Policies = map[string]world.Block{} // nobody is rotated here
	w.Config.Owners = map[string]world.Block{}
	for _, name := range teams() {
		w.Config.Owners[name] = world.Block{"email": addresses(w, name), "timezone": "Europe/Berlin"}
	}
	w.Config.Owners[reader] = world.Block{"email": addresses(w, reader), "digest": "daily at 09:00"}
	return &campaign{
		World: w, regime: r, server: server, program: program, dice: rand.New(rand.NewPCG(seed, 7)), sample: rotated(t),
		owed: map[string]bool{}, copies: map[string]int{}, exposed: map[string]int{}, points: map[string]int{},
	}
}

// Build builds the daemon with its points to die at, and returns the program.
func Build(ctx context.Context, root, dir string) (string, error) {
	target := filepath.Join(dir, "rotad")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "failpoints", "-o", target, "./cmd/rotad")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building rotad: %w\n%s", err, out)
	}
	return target, nil
}

// rotated is the notice of a rotation, which brings a calendar event, with made-up facts.
func rotated(t *testing.T) credential.Notice {
	t.Helper()
	samples, err := notify.Samples(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		if s.Name == string(credential.NoticeRotated) {
			return s.Notice
		}
	}
	t.Fatal("there is no sample of a rotation")
	return credential.Notice{}
}

// begin lets a first daemon make the state, and ends it in good order.
func (c *campaign) begin() {
	c.T.Helper()
	c.stop(c.Start())
}

func (c *campaign) stop(d *world.Daemon) {
	c.T.Helper()
	if code := d.Stop(time.Minute); code != 0 {
		c.T.Errorf("the daemon ended with the code %d", code)
	}
}

// start starts the daemon with points armed.
func (c *campaign) start(armed string) *servers.Process {
	c.T.Helper()
	process, err := servers.Launch(servers.Spec{
		Name: "rotad", Path: c.program, Args: []string{"run", "--config", c.Path("config.yaml")},
		Env: append(servers.BareEnv(), "ROTAD_FAILPOINTS="+armed), Dir: c.Dir, Log: c.Path("rotad.log"),
	})
	c.Must(err)
	return process
}

// restLimit is longer than the lease of a message that was begun when the daemon died.
const restLimit = 5 * time.Minute

// rest lets the daemon live until nothing waits any more, and ends it in good order.
func (c *campaign) rest() {
	c.T.Helper()
	d := c.Start()
	c.Await(restLimit, "nothing waits any more", func() error {
		for _, state := range []credential.NoticeState{credential.NoticePending, credential.NoticeWaiting} {
			if n, err := d.Metric("rotad_outbox_entries", world.Block{"state": string(state)}); err != nil || n > 0 {
				return fmt.Errorf("%.0f notices are %s (%w)", n, state, err)
			}
		}
		return nil
	})
	c.stop(d)
}
