package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

// resumeFlags are the ways out of a hold; exactly one is chosen.
type resumeFlags struct {
	retry, acceptVault, oldRemoved, abort, undelivered bool
	adopt, discard                                     string
	reason                                             string
}

func newResume(a *app) *cobra.Command {
	var f resumeFlags
	cmd := a.aboutOne("resume ID", "Resolve a hold; rotad show ID says which ways out there are.",
		func(cmd *cobra.Command, id string) error {
			choice, secretID, err := f.choice(cmd, id)
			if err != nil {
				return err
			}
			reply, err := a.do(cmd.Context(), admin.Command{
				Verb: admin.VerbResume, Client: id, Reason: f.reason, Resolve: choice, SecretID: secretID,
			})
			if err != nil {
				return err
			}
			return a.granted(reply.Record, "%[1]s goes on; rotad show %[1]s says how far it is")
		})
	flags := cmd.Flags()
	flags.BoolVar(&f.retry, "retry", false, "look again and go on from where it stopped")
	flags.StringVar(&f.adopt, "adopt", "", "say that the secret `SECRET-ID` at the provider is the one in Vault, or the one that rotad made")
	flags.StringVar(&f.discard, "discard", "", "delete exactly the secret `SECRET-ID` at the provider")
	flags.BoolVar(&f.acceptVault, "accept-vault", false, "take what stands in Vault now as the truth")
	flags.BoolVar(&f.oldRemoved, "old-removed", false, "the old secret of a manual client has been removed in the portal")
	flags.BoolVar(&f.abort, "abort", false, "give the rotation up, where nothing can be lost by it")
	flags.BoolVar(&f.undelivered, "undelivered", false, "let the old secret go although a destination does not hold the new one")
	reasonFlag(cmd, &f.reason)
	return cmd
}

// choice returns the one way that was chosen.
func (f resumeFlags) choice(cmd *cobra.Command, id string) (choice credential.Resolve, secretID string, err error) {
	for _, way := range []struct {
		chosen  bool
		resolve credential.Resolve
		id      string
	}{
		{f.retry, credential.ResolveRetry, ""},
		{cmd.Flags().Changed("adopt"), credential.ResolveAdopt, f.adopt},
		{cmd.Flags().Changed("discard"), credential.ResolveDiscard, f.discard},
		{f.acceptVault, credential.ResolveAcceptVault, ""},
		{f.oldRemoved, credential.ResolveOldRemoved, ""},
		{f.abort, credential.ResolveAbort, ""},
		{f.undelivered, credential.ResolveUndelivered, ""},
	} {
		switch {
		case !way.chosen:
		case choice != credential.ResolveNone:
			return "", "", wrong(errors.New("rotad resume takes one way out, not several"), "rotad show "+id+" says which there are")
		default:
			choice, secretID = way.resolve, way.id
		}
	}
	if choice == credential.ResolveNone {
		return "", "", wrong(errors.New("rotad resume needs a way out, for example --retry"), "rotad show "+id+" says which there are")
	}
	return choice, secretID, nil
}
