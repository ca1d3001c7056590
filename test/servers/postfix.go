package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

// Account of the mail server.
const (
	MailUser     = "rotad"
	MailPassword = "the-password-of-the-mail-account"
	MailDomain   = "rotad.test"
)

const (
	postfixMaster = "/usr/lib/postfix/sbin/master"
	postfixMain   = "/usr/sbin/postfix"
	dovecotMain   = "/usr/sbin/dovecot"
	dovecotIMAP   = "/usr/lib/dovecot/imap"
)

// Postfix is a running Postfix that takes mail for MailDomain after STARTTLS and AUTH (which Dovecot answers), and
// delivers all of it into one Maildir, which Dovecot shows over IMAP. It survives Stop and Start, on the same ports, with
// its mail.
type Postfix struct {
	Port     int
	IMAPPort int    // without TLS, for MailUser
	CAFile   string // certificate that clients have to trust
	Maildir  string
	dir      string
	master   *Process
	dovecot  *Process
	uid, gid string
}

// InstallPostfix installs Postfix and Dovecot from Debian where they are missing.
func InstallPostfix(ctx context.Context, cache Cache) error {
	return cache.debian(ctx, []string{postfixMaster, dovecotMain, dovecotIMAP}, "postfix", "dovecot-core", "dovecot-imapd")
}

// StartPostfix starts a mail server and waits until it greets.
func StartPostfix(ctx context.Context, cache Cache, dir string) (*Postfix, error) {
	if err := InstallPostfix(ctx, cache); err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	imap, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	p := &Postfix{
		Port: port, IMAPPort: imap, dir: dir, CAFile: filepath.Join(dir, "mail.pem"), Maildir: filepath.Join(dir, "mail", "all"),
	}
	if err := p.configure(ctx); err != nil {
		return nil, err
	}
	if err := p.Start(ctx); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// Start starts a stopped mail server.
func (p *Postfix) Start(ctx context.Context) error {
	var err error
	p.dovecot, err = Launch(Spec{
		Name: "dovecot", Path: dovecotMain, Args: []string{"-F", "-c", p.path("dovecot.conf")}, Log: p.path("dovecot.out"),
	})
	if err != nil {
		return err
	}
	p.master, err = Launch(Spec{
		Name: "postfix", Path: postfixMaster, Args: []string{"-d", "-c", p.path("postfix")}, Log: p.path("postfix.out"),
	})
	if err != nil {
		return err
	}
	if err := Until(ctx, 30*time.Second, 50*time.Millisecond, p.greets); err != nil {
		return fmt.Errorf("waiting for postfix: %w\n%s", err, Tail(p.path("maillog"), 10))
	}
	return nil
}

// Stop stops the mail server; connections to it are refused from then on. Mail that it has is kept.
func (p *Postfix) Stop() {
	_ = p.master.Stop(5 * time.Second)
	_ = p.dovecot.Stop(5 * time.Second)
}

// PasswordFiles returns the two files in which further accounts have their passwords, "user:password" on a line; they are
// read at every login.
func (p *Postfix) PasswordFiles() [2]string {
	return [2]string{p.path("dovecot-first"), p.path("dovecot-second")}
}

// LogTail returns the last lines of its log.
func (p *Postfix) LogTail(lines int) string { return Tail(p.path("maillog"), lines) }

func (p *Postfix) path(name string) string { return filepath.Join(p.dir, name) }

func (p *Postfix) greets(ctx context.Context) error {
	if err := errors.Join(p.master.ended(), p.dovecot.ended()); err != nil {
		return err
	}
	if _, err := os.Stat(p.path("spool/private/auth")); err != nil {
		return fmt.Errorf("dovecot's socket is not there: %w", err)
	}
	return greeting(ctx, p.Port)
}

// greeting reads the first line of an SMTP server.
func greeting(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	err = conn.SetDeadline(time.Now().Add(2 * time.Second))
	if err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("reading its greeting: %w", err)
	}
	if !strings.HasPrefix(line, "220") {
		return fmt.Errorf("it greets with %q", line)
	}
	_, err = conn.Write([]byte("QUIT\r\n"))
	return err
}

// configure writes private configuration trees. Nothing of the system's own mail server is read or touched.
func (p *Postfix) configure(ctx context.Context) error {
	for _, dir := range []string{"postfix", "spool", "data", "mail", "dovecot-run", "dovecot-state"} {
		if err := os.Mkdir(p.path(dir), 0o755); err != nil {
			return fmt.Errorf("making the mail server's directories: %w", err)
		}
	}
	if err := p.owners(); err != nil {
		return err
	}
	if err := writeCertificate(p.CAFile, p.path("mail.key")); err != nil {
		return err
	}
	master, err := p.masterCF()
	if err != nil {
		return err
	}
	files := map[string]string{
		"postfix/main.cf": p.mainCF(), "postfix/master.cf": master,
		"dovecot.conf": p.dovecotConf(), "dovecot-users": MailUser + ":{PLAIN}" + MailPassword + "\n", "dovecot-first": "", "dovecot-second": "",
		"recipients": "", "dovecot-oauth2": introspection("http://127.0.0.1:1/"),
	}
	for name, content := range files {
		if err := os.WriteFile(p.path(name), []byte(content), 0o644); err != nil {
			return fmt.Errorf("writing the mail server's %s: %w", name, err)
		}
	}
	return run(ctx, p.dir, postfixMain, "-c", p.path("postfix"), "check") // makes the queue directories
}

// owners gives the directories to the users that the daemons become.
func (p *Postfix) owners() error {
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return fmt.Errorf("finding the user that mail belongs to: %w", err)
	}
	postfix, err := user.Lookup("postfix")
	if err != nil {
		return fmt.Errorf("finding the user of postfix: %w", err)
	}
	p.uid, p.gid = nobody.Uid, nobody.Gid
	for dir, owner := range map[string]*user.User{"mail": nobody, "data": postfix} {
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		if err := os.Chown(p.path(dir), uid, gid); err != nil {
			return fmt.Errorf("giving %s to its user: %w", dir, err)
		}
	}
	return nil
}
