package servers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"strings"
)

// Admits says whether the mail server lets an account in, after STARTTLS.
func (p *Postfix) Admits(ctx context.Context, account, password string) (bool, error) {
	pem, err := os.ReadFile(p.CAFile)
	if err != nil {
		return false, fmt.Errorf("reading the mail server's certificate: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", p.Port))
	if err != nil {
		return false, err
	}
	client, err := smtp.NewClient(conn, "127.0.0.1")
	if err != nil {
		return false, errors.Join(err, conn.Close())
	}
	defer func() { _ = client.Close() }()
	if err = client.StartTLS(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}); err != nil {
		return false, fmt.Errorf("STARTTLS: %w", err)
	}
	err = client.Auth(smtp.PlainAuth("", account, password, "127.0.0.1"))
	if refused, ok := errors.AsType[*textproto.Error](err); ok && refused.Code == 535 {
		return false, nil
	}
	return err == nil, err
}

// AskAbout lets the mail server ask an introspection endpoint (RFC 7662) about the tokens of XOAUTH2; before, it takes none. It
// starts the mail server anew.
func (p *Postfix) AskAbout(ctx context.Context, endpoint string) error {
	if err := os.WriteFile(p.path("dovecot-oauth2"), []byte(introspection(endpoint)), 0o644); err != nil {
		return fmt.Errorf("writing where tokens are asked about: %w", err)
	}
	p.Stop()
	return p.Start(ctx)
}

// introspection is Dovecot's file about tokens.
func introspection(endpoint string) string {
	return "introspection_mode = post\nintrospection_url = " + endpoint + "\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n"
}

// Certificate returns the files of the one certificate that the mail server takes mail from without a login: its own.
func (p *Postfix) Certificate() (cert, key string) { return p.CAFile, p.path("mail.key") }

// LoginsBy counts the logins that the log of the mail server tells, by mechanism; those that have failed are not among them.
func (p *Postfix) LoginsBy() (map[string]int, error) {
	raw, err := os.ReadFile(p.path("maillog"))
	if err != nil {
		return nil, fmt.Errorf("reading the mail server's log: %w", err)
	}
	count := map[string]int{}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if _, rest, ok := strings.Cut(line, "sasl_method="); ok {
			method, _, _ := strings.Cut(rest, ",")
			count[method]++
		}
	}
	return count, nil
}
