package packaging_test

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/test/servers"
)

// packager is how one kind of package is handled, and what its own tool says about files.
type packager struct {
	old, new  string // the packages of the two releases
	install   []string
	downgrade []string
	remove    []string
	purge     []string // nil where the tool knows no purge
	altered   []string // lists the files that are not as they were installed
	conffiles []string // lists what people may change
}

func debian() packager {
	return packager{
		old: "/packages/old/rotad_0.1.0_amd64.deb", new: "/packages/new/rotad_0.2.0_amd64.deb",
		install: []string{"dpkg", "--install"}, downgrade: []string{"dpkg", "--install"},
		remove: []string{"dpkg", "--remove", "rotad"}, purge: []string{"dpkg", "--purge", "rotad"},
		altered: []string{"dpkg", "--verify", "rotad"}, conffiles: []string{"dpkg-query", "--show", "--showformat=${Conffiles}", "rotad"},
	}
}

// redHat needs rpm, which runs on Debian where it is forced to. No other package is in its database, so it does not ask
// for dependencies.
func redHat(t *testing.T) packager {
	t.Helper()
	cache, err := servers.OpenCache()
	if err != nil {
		t.Fatal(err)
	}
	if err := servers.InstallRPM(t.Context(), cache); err != nil {
		t.Fatal(err)
	}
	return packager{
		old: "/packages/old/rotad-0.1.0-1.x86_64.rpm", new: "/packages/new/rotad-0.2.0-1.x86_64.rpm",
		install:   []string{"rpm", "--force-debian", "--nodeps", "--upgrade"},
		downgrade: []string{"rpm", "--force-debian", "--nodeps", "--upgrade", "--oldpackage"},
		remove:    []string{"rpm", "--force-debian", "--erase", "rotad"},
		altered:   []string{"rpm", "--verify", "--nodeps", "rotad"}, conffiles: []string{"rpm", "--query", "--configfiles", "rotad"},
	}
}

type chapter struct {
	name string
	tell func(t *testing.T, s *system)
}

// story is the life of a package on one machine, in order: each chapter begins where the one before has ended.
func (p packager) story(t *testing.T, packages string) {
	s := startSystem(t, packages)
	for _, chapter := range []chapter{
		{"installed", p.installed},
		{"the unit says nothing to its verifier", verified},
		{"it runs and keeps a state", p.runs},
		{"upgraded", p.upgraded},
		{"downgraded", p.downgraded},
		{"back by the backup", p.restored},
		{"upgraded again", p.upgradedAgain},
		{"removed", p.removed},
		{"purged", p.purged},
	} {
		if chapter.name == "purged" && p.purge == nil {
			continue
		}
		if !t.Run(chapter.name, func(t *testing.T) { s.t = t; chapter.tell(t, s) }) {
			t.FailNow()
		}
	}
}

// layout is what an installation consists of, with owner, group and mode.
const layout = `root root 755 /usr/bin/rotad
root root 644 /usr/lib/systemd/system/rotad.service
root root 644 /usr/lib/sysusers.d/rotad.conf
root root 644 /usr/lib/tmpfiles.d/rotad.conf
root rotad 750 /etc/rotad
root root 644 /etc/rotad/config.example.yaml
root root 700 /etc/rotad/credentials
rotad rotad 700 /var/lib/rotad
`

func (p packager) checkLayout(t *testing.T, s *system) {
	t.Helper()
	var paths []string
	for line := range strings.Lines(layout) {
		paths = append(paths, strings.Fields(line)[3])
	}
	if got := s.do(append([]string{"stat", "--format=%U %G %a %n"}, paths...)...); got != layout {
		t.Errorf("it looks like this:\n%swant:\n%s", got, layout)
	}
	if out := s.try(p.altered...); out.out != "" {
		t.Errorf("files that are not as they were installed:\n%s", out.out)
	}
}

func (p packager) installed(t *testing.T, s *system) {
	if r := s.try("test", "-e", "/usr/bin/rotad"); r.code == 0 {
		t.Fatal("rotad is installed on this machine already: this test could not tell what it has done")
	}
	out := s.do(append(p.install, p.old)...)
	p.checkLayout(t, s)
	if got := s.do(p.conffiles...); !strings.Contains(got, "/etc/rotad/config.example.yaml") || strings.Count(got, "/") != 3 {
		t.Errorf("people may change %q, want the example alone", got)
	}
	if told := s.told(); told != "daemon-reload" {
		t.Errorf("the service manager was told %q: nothing starts before there is a configuration", told)
	}
	if !strings.Contains(out, "write /etc/rotad/config.yaml") {
		t.Errorf("nobody was told what to do next:\n%s", out)
	}
}

// The program is where the unit looks for it, so nothing has to be replaced before systemd reads it.
func verified(t *testing.T, s *system) {
	if r := s.try("systemd-analyze", "verify", "/usr/lib/systemd/system/rotad.service"); r.code != 0 || r.out+r.errs != "" {
		t.Errorf("systemd-analyze verify: exit status %d\n%s%s", r.code, r.out, r.errs)
	}
}

// installedConfig lets the daemon run without any server: Vault does not answer, so the client waits for its first look.
const installedConfig = `listen: {metrics: "off"}
vault: {address: "http://127.0.0.1:1", auth: {method: token, token_file: token}}
owners: {team: {email: [team@example.com]}}
providers: {portal: {kind: manual}}
clients: [{id: one, provider: portal, ref: {client_id: one}, owner: team, vault: {path: apps/one}}]
`

func (p packager) runs(t *testing.T, s *system) {
	s.write("/etc/rotad/config.yaml", installedConfig)
	s.write("/etc/rotad/token", "t")
	checkLife(t, s, "0.1.0")
	if got := s.do("stat", "--format=%U %G %a", "/var/lib/rotad/rotad.db"); got != "rotad rotad 600\n" {
		t.Errorf("the state belongs to %s", got)
	}
}

// checkLife starts and stops the daemon, and asks the state that it leaves.
func checkLife(t *testing.T, s *system, version string) {
	t.Helper()
	if life := s.life(); life.code != 0 || !strings.Contains(life.errs, "rotad has stopped") {
		t.Fatalf("exit status %d\n%s", life.code, life.errs)
	}
	if got := s.do("rotad", "version"); !strings.HasPrefix(got, "rotad "+version+" ") {
		t.Errorf("it says %q", got)
	}
	if got := s.do("rotad", "history", "one"); strings.Count(got, "registered") != 1 {
		t.Errorf("the history of the client is %q, want it registered once", got)
	}
}

// kept are the checksums of what belongs to people: no package may touch it.
func kept(s *system) string {
	s.t.Helper()
	return s.do("sha256sum", "/etc/rotad/config.yaml", "/etc/rotad/token", "/var/lib/rotad/rotad.db")
}

const backup = "/var/backups/rotad.db"

func (p packager) upgraded(t *testing.T, s *system) {
	s.do("rotad", "backup", backup)
	before := kept(s)
	s.do(append(p.install, p.new)...)
	if after := kept(s); after != before {
		t.Errorf("before:\n%safter:\n%s", before, after)
	}
	p.checkLayout(t, s)
	if told := s.told(); !strings.Contains(told, "try-restart rotad.service") || strings.Contains(told, "disable") {
		t.Errorf("the service manager was told %q, want a daemon that runs to be restarted", told)
	}
	checkLife(t, s, "0.2.0")
}

// The newer rotad has written its own schema by now. The older one must neither read half of it nor write to it.
func (p packager) downgraded(t *testing.T, s *system) {
	before := kept(s)
	s.do(append(p.downgrade, p.old)...)
	life := s.life()
	for _, want := range []string{"error: state file /var/lib/rotad/rotad.db: ", "written by a newer rotad\n", "hint: run the newer rotad, or restore a backup"} {
		if !strings.Contains(life.errs, want) {
			t.Errorf("the daemon does not say %q:\n%s", want, life.errs)
		}
	}
	if life.code != 3 {
		t.Errorf("exit status %d, want 3, after which the unit does not try again", life.code)
	}
	if r := s.try("rotad", "status"); r.code != 3 || r.out != "" {
		t.Errorf("rotad status: exit status %d\n%s%s", r.code, r.out, r.errs)
	}
	if after := kept(s); after != before {
		t.Errorf("before:\n%safter:\n%s", before, after)
	}
}

// What docs/install.md tells people to type.
func (p packager) restored(t *testing.T, s *system) {
	s.do("rotad", "restore", backup)
	s.do("chown", "rotad:", "/var/lib/rotad/rotad.db")
	checkLife(t, s, "0.1.0")
	if r := s.try("test", "-s", "/var/lib/rotad/rotad.db.replaced"); r.code != 0 {
		t.Error("the newer state is gone")
	}
}

func (p packager) upgradedAgain(t *testing.T, s *system) {
	s.do(append(p.install, p.new)...)
	checkLife(t, s, "0.2.0")
	s.told()
}

func (p packager) removed(t *testing.T, s *system) {
	before := kept(s)
	out := s.do(p.remove...)
	if told := s.told(); !strings.HasPrefix(told, "disable --now rotad.service\ndaemon-reload") {
		t.Errorf("the service manager was told %q, want a daemon that runs to be stopped first", told)
	}
	if after := kept(s); after != before {
		t.Errorf("before:\n%safter:\n%s", before, after)
	}
	sayLeft(t, out)
	if s.try("test", "-e", "/usr/bin/rotad").code == 0 || s.try("test", "-e", "/usr/lib/systemd/system/rotad.service").code == 0 {
		t.Error("the program or the unit is still there")
	}
}

func sayLeft(t *testing.T, out string) {
	t.Helper()
	for _, want := range []string{"these were left:", "/var/lib/rotad", "/etc/rotad", "the user and the group rotad"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

func (p packager) purged(t *testing.T, s *system) {
	before := kept(s)
	out := s.do(p.purge...)
	sayLeft(t, out)
	if !strings.Contains(out, "rm -r /var/lib/rotad /etc/rotad && userdel rotad") {
		t.Errorf("it does not say how to be rid of the rest:\n%s", out)
	}
	if after := kept(s); after != before {
		t.Errorf("before:\n%safter:\n%s", before, after)
	}
	if s.try("test", "-e", "/etc/rotad/config.example.yaml").code == 0 {
		t.Error("the example is still there")
	}
	s.do("sh", "-euc", "rm -r /var/lib/rotad /etc/rotad && userdel rotad")
}
