package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/notify"
)

func newSendTest(a *app) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "send-test --to ADDRESS",
		Short: "Send one mail, to prove the way to a mailbox.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.sendTest(cmd.Context(), to)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "who gets the mail")
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
	if cfg.SMTP == nil {
		return wrong(errors.New("the configuration has no smtp: block"), "config.example.yaml shows it")
	}
	from, err := notify.ParseAddress(cfg.SMTP.From)
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
	receipt, err := notify.SendTest(ctx, channel, renderer, notify.Recipient{To: to}, realClocks().now())
	if err != nil {
		return failed(err, "see smtp: host, port, tls, username and password_file")
	}
	_, err = fmt.Fprintf(a.out, "%s took it: %s\n", cfg.SMTP.Host, receipt.Reply)
	return err
}
