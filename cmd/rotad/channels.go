package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// channel is a channel as the commands use it.
type channel interface {
	notify.Channel
	// Check asks without sending anything.
	Check(ctx context.Context) error
	Close() error
}

// allChannels makes every channel that is configured, mail first.
func allChannels(cfg *config.Config) ([]notify.Channel, error) {
	var all []notify.Channel
	if cfg.SMTP != nil {
		mail, err := mailChannel(cfg.SMTP)
		if err != nil {
			return nil, err
		}
		all = append(all, mail)
	}
	for _, c := range cfg.Channels {
		made, err := newChannel(c)
		if err != nil {
			return nil, fmt.Errorf("opening the channel %s: %w", c.Name, err)
		}
		all = append(all, made)
	}
	return all, nil
}

func newChannel(c config.Channel) (channel, error) {
	roots, err := authorities("channels."+c.Name+".ca_cert_file", c.CACertFile)
	if err != nil {
		return nil, err
	}
	secret := func(name string) func() (credential.Sensitive, error) {
		return func() (credential.Sensitive, error) {
			value, err := c.Secret(name)
			return credential.NewSensitive(value), err
		}
	}
	now := realClocks().now
	switch c.Kind {
	case config.ChannelWebhook:
		return notify.NewWebhook(notify.WebhookSettings{
			Name: c.Name, URL: c.URL, Keys: secret("secret"), Roots: roots, Timeout: c.Timeout, Now: now,
		})
	case config.ChannelSlack:
		return notify.NewSlack(notify.SlackSettings{Name: c.Name, URL: secret("url"), Roots: roots, Timeout: c.Timeout, Now: now})
	}
	return nil, fmt.Errorf("there is no kind %q", c.Kind)
}

// authorities reads the certificates that a server has to be signed by; no file = the system's.
func authorities(setting, file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // nil are the system's
	}
	pem, err := os.ReadFile(file) //nolint:gosec // the configuration names it
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", setting, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading %s %s: it holds no certificate", setting, file)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// subscriptions are channels by name as the notices see them.
func subscriptions(cfg *config.Config, names []string) []notify.Subscription {
	var out []notify.Subscription
	for _, name := range names {
		c, _ := cfg.Channel(name)
		out = append(out, notify.Subscription{Name: name, Least: notify.Severity(c.Min)})
	}
	return out
}

// channelHint says where to look when a channel does not work.
func channelHint(name string) string {
	return "see channels." + name + " in the configuration; docs/reference/channels.md says what each answer means"
}

// checkChannels asks every channel besides mail, without sending anything. Slack cannot be asked: only the form of its URL is
// looked at.
func (a *app) checkChannels(ctx context.Context, cfg *config.Config) (bad int) {
	for _, c := range cfg.Channels {
		made, err := newChannel(c)
		if err == nil {
			err = reached(ctx, made)
		}
		switch {
		case err != nil:
			bad += a.finding("channel "+c.Name, true, err.Error(), channelHint(c.Name))
		case c.Kind == config.ChannelSlack:
			_, _ = fmt.Fprintf(a.out, "channel %s: ok (its URL has the right form; rotad send-test --channel %s posts a message)\n", c.Name, c.Name)
		default:
			_, _ = fmt.Fprintf(a.out, "channel %s: ok\n", c.Name)
		}
	}
	return bad
}

func reached(ctx context.Context, c channel) error {
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	return errors.Join(c.Check(ctx), c.Close())
}

// testChannels sends a test over one channel, or over every one that is configured. A mail goes to the first of the admins.
func (a *app) testChannels(ctx context.Context, cfg *config.Config, name string) error {
	tried := 0
	var errs []error
	try := func(channel string, test func() error) {
		if name != "" && channel != name {
			return
		}
		tried++
		if err := test(); err != nil {
			errs = append(errs, fmt.Errorf("channel %s: %w", channel, err))
		}
	}
	if cfg.SMTP != nil && len(cfg.Admins.Email) > 0 {
		try(notify.MailChannel, func() error { return a.testMail(ctx, cfg, cfg.Admins.Email[0]) })
	}
	for _, c := range cfg.Channels {
		try(c.Name, func() error { return a.testChannel(ctx, cfg, c) })
	}
	switch {
	case tried == 0 && name != "":
		return wrong(fmt.Errorf("the configuration has no channel %q that can be tried", name), "there are: "+strings.Join(channelNames(cfg), ", "))
	case tried == 0:
		return wrong(errors.New("the configuration has no channels"), "rotad send-test --to name@example.com sends a mail; config.example.yaml shows channels:")
	case len(errs) > 0:
		return failed(errors.Join(errs...), "see channels: in the configuration; docs/reference/channels.md says what each answer means")
	}
	return nil
}

func channelNames(cfg *config.Config) []string {
	var names []string
	for _, c := range cfg.Channels {
		names = append(names, c.Name)
	}
	return names
}

// testChannel sends a test over a channel that is no mail.
func (a *app) testChannel(ctx context.Context, cfg *config.Config, c config.Channel) error {
	made, err := newChannel(c)
	if err != nil {
		return err
	}
	defer func() { _ = made.Close() }()
	from, err := sender(cfg)
	if err != nil {
		return err
	}
	renderer, err := notify.NewRenderer(notify.Sender{From: from, Key: []byte(rand.Text()), Mount: cfg.Vault.Mount, PublicURL: cfg.PublicURL})
	if err != nil {
		return err
	}
	receipt, err := notify.SendTest(ctx, made, renderer, notify.Recipient{Channel: c.Name, Language: cfg.Admins.Language}, realClocks().now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "channel %s took it: %s\n", c.Name, receipt.Reply)
	return err
}

// sender is who notices come from; without mail nobody sees it.
func sender(cfg *config.Config) (notify.Address, error) {
	if cfg.SMTP == nil {
		return notify.Address{Addr: "rotad@localhost.localdomain"}, nil
	}
	from, err := notify.ParseAddress(cfg.SMTP.From)
	if err != nil {
		return notify.Address{}, fmt.Errorf("reading smtp.from: %w", err)
	}
	return from, nil
}
