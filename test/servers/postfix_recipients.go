package servers

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

const (
	postconfMain = "/usr/sbin/postconf"
	postgreyMain = "/usr/sbin/postgrey"
)

// Greylisted is what Treat gives a recipient whose mails postgrey refuses at first; see Greylist.
const Greylisted = "greylisted"

// Treat says what becomes of mails to single recipients: an answer to RCPT, such as "452 4.2.2 Mailbox full", or
// Greylisted. It replaces what was said before, and starts the mail server anew.
func (p *Postfix) Treat(ctx context.Context, recipients map[string]string) error {
	var table strings.Builder
	for _, to := range slices.Sorted(maps.Keys(recipients)) {
		fmt.Fprintf(&table, "%s %s\n", to, recipients[to])
	}
	if err := os.WriteFile(p.path("recipients"), []byte(table.String()), 0o644); err != nil {
		return fmt.Errorf("writing what becomes of recipients: %w", err)
	}
	p.Stop()
	return p.Start(ctx)
}

// Greylist starts postgrey beside the mail server. A recipient who is Greylisted refuses every triplet of client, sender
// and recipient until it has been known for as long as the delay. It holds from the next Treat on.
func (p *Postfix) Greylist(ctx context.Context, cache Cache, delay time.Duration) (stop func(), err error) {
	if err := cache.debian(ctx, []string{postgreyMain}, "postgrey"); err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	dir := p.path("postgrey")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of postgrey: %w", err)
	}
	grey, err := Launch(Spec{Name: "postgrey", Path: postgreyMain, Log: p.path("postgrey.log"), Args: []string{
		fmt.Sprintf("--inet=127.0.0.1:%d", port), "--dbdir=" + dir, "--user=root", "--group=root",
		fmt.Sprintf("--delay=%d", int(delay.Seconds())), "--auto-whitelist-clients=0",
		"--whitelist-clients=" + filepath.Join(dir, "nobody"), "--whitelist-recipients=" + filepath.Join(dir, "nobody"),
	}})
	if err != nil {
		return nil, err
	}
	stop = func() { _ = grey.Stop(2 * time.Second) }
	err = Until(ctx, 10*time.Second, 50*time.Millisecond, func(ctx context.Context) error {
		if err := grey.ended(); err != nil {
			return err
		}
		return listens(ctx, port)
	})
	if err == nil {
		err = run(ctx, p.dir, postconfMain, "-c", p.path("postfix"), "-e", "smtpd_restriction_classes = "+Greylisted,
			fmt.Sprintf("%s = check_policy_service inet:127.0.0.1:%d", Greylisted, port))
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("starting greylisting: %w", err)
	}
	return stop, nil
}

// listens is nil when something answers on a port of this machine.
func listens(ctx context.Context, port int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	return conn.Close()
}
