package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

// addFlags describe one client; its keys are those of the configuration.
type addFlags struct {
	file                                                     string
	provider, owner, policy, path, mount, namespace          string
	expires, currentID, grace, reason, method, auth, renamed string
	ref, fields, labels                                      map[string]string
	cutover, bootstrap, keepRetired, missing, dry            bool
}

func newAdd(a *app) *cobra.Command {
	var f addFlags
	cmd := &cobra.Command{
		Use:   "add [ID]",
		Short: "Register one client, by flags, by a file with one entry, or by questions; registering never rotates.",
		Long: "Register one client. On a terminal it asks for what the flags leave out.\n" +
			"Before it registers, it looks at the client once, as the daemon will, and says what happens next.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked, err := a.askClient(cmd.Context(), &f, &args)
			if err != nil {
				return err
			}
			client, err := f.client(args)
			if err == nil {
				err = a.add(cmd.Context(), client, f, asked)
			}
			return f.named(err)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "YAML or NDJSON file with one client, instead of the other flags")
	flags.StringVar(&f.provider, "provider", "", "name of the configured provider")
	flags.StringToStringVar(&f.ref, "ref", nil, "what the provider calls it: --ref client_id=billing")
	flags.StringVar(&f.owner, "owner", "", "name of the owner")
	flags.StringVar(&f.policy, "policy", "", "name of the policy (default \"default\")")
	flags.StringVar(&f.path, "vault-path", "", "where consumers read the bundle, below the mount")
	flags.StringVar(&f.mount, "vault-mount", "", "KV v2 mount (default: the configured one)")
	flags.StringVar(&f.namespace, "vault-namespace", "", "Vault namespace (default: the configured one)")
	flags.StringToStringVar(&f.fields, "vault-field", nil, "name of a field in Vault: --vault-field client_secret=OIDC_SECRET")
	flags.StringVar(&f.method, "verify-method", "", "auto, client_credentials, introspection or auth_code")
	flags.StringVar(&f.auth, "verify-auth", "", "basic or post")
	flags.StringVar(&f.expires, "expires", "", "expiry of the current secret, where the provider does not say it")
	flags.StringVar(&f.currentID, "current-id", "", "id at the provider of the secret that is in Vault")
	flags.StringVar(&f.grace, "grace", "", "how long the provider keeps the previous secret, where it cannot be read")
	flags.StringVar(&f.renamed, "renamed-from", "", "former id: the record moves with its history")
	flags.StringToStringVar(&f.labels, "label", nil, "free text for people: --label team=payments")
	flags.BoolVar(&f.cutover, "allow-cutover", false, "permit a rotation without overlap")
	flags.BoolVar(&f.bootstrap, "bootstrap", false, "permit to make the first secret when Vault has none")
	flags.BoolVar(&f.keepRetired, "keep-retired", false, "keep the Vault version of a retired secret")
	flags.BoolVar(&f.missing, "allow-missing", false, "register it although the provider does not know it yet")
	flags.BoolVar(&f.dry, "dry-run", false, "say what would change, and change nothing")
	reasonFlag(cmd, &f.reason)
	return cmd
}

// client reads the one client from the file or from the flags: one way for both, so that both are checked alike.
func (f addFlags) client(args []string) (credential.Client, error) {
	var data []byte
	name := commandLine
	switch {
	case f.file != "" && (len(args) > 0 || f.provider != ""):
		return credential.Client{}, wrong(errors.New("rotad add takes a file or flags, not both"), "rotad add -f FILE")
	case f.file != "":
		read, err := os.ReadFile(f.file)
		if err != nil {
			return credential.Client{}, wrong(err, "name a file with one client")
		}
		data, name = read, f.file
	case len(args) == 0:
		return credential.Client{}, wrong(errors.New("rotad add needs an id, or a file"), "rotad add ID --provider P --ref client_id=ID --owner O --vault-path PATH")
	default:
		encoded, err := json.Marshal(f.entry(args[0]))
		if err != nil {
			return credential.Client{}, wrong(err, "rotad add --help")
		}
		data = encoded
	}
	return oneClient(data, name)
}

func oneClient(data []byte, name string) (credential.Client, error) {
	var found []credential.Client
	problems, err := config.DecodeClients(bytes.NewReader(data), name, func(c credential.Client, _ int) error {
		found = append(found, c)
		return nil
	})
	errs := problems.Errors()
	switch {
	case err != nil:
		return credential.Client{}, failed(err, "")
	case len(errs) > 0:
		return credential.Client{}, unreadableClient(errs, name)
	case len(found) != 1:
		return credential.Client{}, wrong(fmt.Errorf("%s holds %d clients, not one", name, len(found)), "rotad import takes many")
	}
	return found[0], nil
}

// entry writes the flags as an entry of the configuration.
func (f addFlags) entry(id string) map[string]any {
	entry := map[string]any{"id": id}
	put := func(into map[string]any, key string, value any) {
		switch v := value.(type) {
		case string:
			if v != "" {
				into[key] = v
			}
		case bool:
			if v {
				into[key] = v
			}
		case map[string]string:
			if len(v) > 0 {
				into[key] = v
			}
		case map[string]any:
			if len(v) > 0 {
				into[key] = v
			}
		}
	}
	place, verify := map[string]any{}, map[string]any{}
	put(place, "path", f.path)
	put(place, "mount", f.mount)
	put(place, "namespace", f.namespace)
	put(place, "fields", f.fields)
	put(verify, "method", f.method)
	put(verify, "auth", f.auth)
	for key, value := range map[string]any{
		"provider": f.provider, "ref": f.ref, "owner": f.owner, "policy": f.policy, "vault": place, "verify": verify,
		"expires": f.expires, "current_id": f.currentID, "grace": f.grace, "renamed_from": f.renamed, "labels": f.labels,
		"allow_cutover": f.cutover, "bootstrap": f.bootstrap, "keep_retired": f.keepRetired,
	} {
		put(entry, key, value)
	}
	return entry
}

// add registers a client, after a look at it that shows what will come of that. Somebody who was asked for the client is
// asked for the last word, too.
func (a *app) add(ctx context.Context, client credential.Client, f addFlags, asked *questions) error {
	r, err := a.registrar(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	if r.local != nil {
		a.reach(r.local)
	}
	c := admin.Command{
		Verb: admin.VerbRegister, Clients: []credential.Client{client}, Source: admin.SourceAdd, Reason: f.reason, DryRun: true, Look: true,
	}
	registered, err := a.foretell(ctx, r, c, f.unknownToo(asked))
	if err == nil && asked != nil && !f.dry {
		err = asked.confirm(ctx, client.ID)
	}
	if err == nil && !f.dry {
		c.DryRun, c.Look = false, false
		registered, _, err = enrol(ctx, r, c)
	}
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, registered)
	}
	text := "%s is registered; it is looked at next, and not rotated by that\n"
	if f.dry {
		text = "%s would be registered\n"
	}
	return printed(fmt.Fprintf(a.out, text, client.ID))
}

// unknownToo says whether a client may be registered that the provider does not know: a flag says that this is meant, or
// somebody is asked for the last word.
func (f addFlags) unknownToo(asked *questions) bool { return f.missing || asked != nil && !f.dry }

// foretell shows what would come of a registration. It refuses a client that the provider does not know, which mostly is a
// mistyped one, unless such a one may be registered, too.
func (a *app) foretell(ctx context.Context, r *registrar, c admin.Command, unknownToo bool) (*admin.Registered, error) {
	registered, rec, err := enrol(ctx, r, c)
	if err == nil && rec != nil && !a.json {
		err = showFirst(a.out, *rec, r.world)
	}
	if err != nil || rec == nil || unknownToo || rec.Hold == nil || rec.Hold.Code != credential.HoldClientMissing {
		return registered, err
	}
	return nil, refused(
		fmt.Errorf("%s does not know %s: %s", rec.Client.Provider, rec.Client.Ref.Canonical(), nothingRegistered),
		"is the ref spelled as the provider spells it? --allow-missing registers the client all the same, and rotad holds it until the provider knows it",
	)
}

// enrol registers one client, or says in a dry run what would come of it.
func enrol(ctx context.Context, r *registrar, c admin.Command) (*admin.Registered, *credential.Record, error) {
	reply, err := r.Do(ctx, c)
	switch {
	case err != nil:
		return nil, nil, told(err)
	case reply.Registered == nil:
		return nil, nil, failed(errors.New("the daemon does not say what became of the client"), "rotad show "+c.Clients[0].ID)
	case len(reply.Registered.Rejected) > 0:
		return nil, nil, rejection(reply.Registered.Rejected)
	}
	return reply.Registered, reply.Record, nil
}
