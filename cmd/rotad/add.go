package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

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
	cutover, bootstrap, keepRetired, dry                     bool
}

func newAdd(a *app) *cobra.Command {
	var f addFlags
	cmd := &cobra.Command{
		Use:   "add [ID]",
		Short: "Register one client, by flags or by a file with one entry; registering never rotates.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := f.client(args)
			if err != nil {
				return err
			}
			return a.add(cmd, client, f)
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
	flags.BoolVar(&f.dry, "dry-run", false, "say what would change, and change nothing")
	reasonFlag(cmd, &f.reason)
	return cmd
}

// client reads the one client from the file or from the flags: one way for both, so that both are checked alike.
func (f addFlags) client(args []string) (credential.Client, error) {
	var data []byte
	name := "the command line"
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
		return credential.Client{}, wrong(errors.New(errs.String()), "rotad add --help; docs/reference/configuration.md has every key")
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

func (a *app) add(cmd *cobra.Command, client credential.Client, f addFlags) error {
	r, err := a.registrar(cmd.Context())
	if err != nil {
		return err
	}
	defer r.close()
	reply, err := r.Do(cmd.Context(), admin.Command{
		Verb: admin.VerbRegister, Clients: []credential.Client{client}, Source: admin.SourceAdd, Reason: f.reason, DryRun: f.dry,
	})
	if err != nil {
		return told(err)
	}
	if reply.Registered == nil {
		return a.granted(nil, "")
	}
	if list := reply.Registered.Rejected; len(list) > 0 {
		return rejection(list)
	}
	if a.json {
		return printJSON(a.out, reply.Registered)
	}
	text := "%s is registered; it is looked at next, and not rotated by that\n"
	if f.dry {
		text = "%s would be registered\n"
	}
	return printed(fmt.Fprintf(a.out, text, client.ID))
}

// rejection is the error of one client that was not taken.
func rejection(list []admin.Rejected) error {
	var whats []string
	code := exitRefused
	for _, r := range list {
		what := r.What
		if r.Path != "" {
			what = r.Path + ": " + what
		}
		whats = append(whats, what)
		if !r.Conflict {
			code = exitWrong
		}
	}
	return &failure{code, errors.New(strings.Join(whats, "; ")), list[0].Hint}
}
