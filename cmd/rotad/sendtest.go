package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/notify"
)

func newSendTest(a *app) *cobra.Command {
	var to, channel string
	cmd := &cobra.Command{
		Use:   "send-test [--to ADDRESS | --channel NAME]",
		Short: "Send one mail, or a test over one channel or over each, to prove the way to whoever is told.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("to") {
				return a.sendTest(cmd.Context(), to)
			}
			cfg, err := a.load()
			if err != nil {
				return err
			}
			return a.testChannels(cmd.Context(), cfg, channel)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "who gets a mail")
	cmd.Flags().StringVar(&channel, "channel", "", "the channel that gets a test, smtp for a mail to the first admin; neither flag = each")
	cmd.MarkFlagsMutuallyExclusive("to", "channel")
	return cmd
}

func (a *app) sendTest(ctx context.Context, to string) error {
	if err := notify.CheckAddress(to); err != nil {
		return wrong(fmt.Errorf("--to: %w", err), "rotad send-test --to name@example.com")
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	return a.testMail(ctx, cfg, to)
}

func (a *app) testMail(ctx context.Context, cfg *config.Config, to string) error {
	if cfg.SMTP == nil {
		return wrong(errors.New("the configuration has no smtp: block"), "config.example.yaml shows it")
	}
	from, err := sender(cfg)
	if err != nil {
		return wrong(err, "see smtp.from in the configuration")
	}
	channel, err := mailChannel(cfg.SMTP)
	if err != nil {
		return wrong(err, "see smtp: in the configuration")
	}
	defer func() { _ = channel.Close() }()
	renderer, err := notify.NewRenderer(notify.Sender{From: from, Key: []byte(rand.Text()), Mount: cfg.Vault.Mount, PublicURL: cfg.PublicURL})
	if err != nil {
		return err
	}
	receipt, err := notify.SendTest(ctx, channel, renderer, notify.Recipient{To: to, Language: cfg.Admins.Language}, realClocks().now())
	if err != nil {
		return failed(err, "see smtp: host, port, tls, username and password_file")
	}
	_, err = fmt.Fprintf(a.out, "%s took it: %s\n", cfg.SMTP.Host, receipt.Reply)
	return err
}
