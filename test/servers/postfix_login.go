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
