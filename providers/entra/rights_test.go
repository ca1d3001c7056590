package entra_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entra"
)

const (
	ownedBy     = "Application.ReadWrite.OwnedBy"
	globalAdmin = "62E90394-69F5-4237-9190-012177145E10"
)

// tenant is a tenant in which rotad's own application has some rights, and owns one of two applications.
func tenant(t *testing.T, own sandbox.Registration) providers.RightsReader {
	t.Helper()
	own.ClientID, own.Secret, own.Admin = "rotad", "own", true
	idp := sandbox.NewIdP(time.Now, sandbox.Settings{})
	for _, r := range []sandbox.Registration{
		own, {ClientID: "app", OwnedBy: []string{"somebody", strings.ToUpper(sandbox.Principal("rotad"))}}, {ClientID: "other", ObjectID: "obj", OwnedBy: []string{"somebody"}},
	} {
		if err := idp.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(idp.Handler())
	t.Cleanup(server.Close)
	p, err := entra.Kind().Open(providers.Opening{
		Name: "corp", Secret: func(string) (string, error) { return "own", nil },
		Settings: &entra.Settings{TenantID: "tenant", ClientID: "rotad", GraphURL: server.URL + sandbox.PathGraph, LoginURL: server.URL + sandbox.PathLogin},
	})
	if err != nil {
		t.Fatal(err)
	}
	reader, ok := providers.AsRightsReader(p)
	if !ok {
		t.Fatal("the rights of the account cannot be read")
	}
	return reader
}

func applications() []providers.Target {
	return []providers.Target{
		{Client: "mine", Ref: credential.Ref{"app_id": "app"}},
		{Client: "theirs", Ref: credential.Ref{"object_id": "obj"}},
		{Client: "gone", Ref: credential.Ref{"app_id": "none"}},
		{Client: "wrong", Ref: credential.Ref{}},
	}
}

func TestRightsThatAreMissingOrTooWide(t *testing.T) {
	for name, test := range map[string]struct {
		own           sandbox.Registration
		missing, wide string
		need          providers.Need // of what is missing
	}{
		"none": {sandbox.Registration{Roles: []string{}}, ownedBy, "", providers.NeedLook},
		"only to read": {
			sandbox.Registration{Roles: []string{"Application.Read.All"}}, ownedBy, "", providers.NeedRotate,
		},
		"the least": {
			sandbox.Registration{Roles: []string{ownedBy}}, "owner of the application at theirs", "", providers.NeedRotate,
		},
		"every application": {
			sandbox.Registration{Roles: []string{ownedBy, "Application.ReadWrite.All"}}, "", "Application.ReadWrite.All", "",
		},
		"every object": {sandbox.Registration{Roles: []string{"Directory.ReadWrite.All"}}, "", "Directory.ReadWrite.All", ""},
		"mail beside it": {
			sandbox.Registration{Roles: []string{ownedBy, "Mail.Send"}}, "owner of the application at theirs", "Mail.Send", providers.NeedRotate,
		},
		"an administrator": {
			sandbox.Registration{DirectoryRoles: []string{globalAdmin, "0997a1d0-0d1d-4acb-b408-d5ca73121e90"}}, "", "directory role Global Administrator", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			rights, err := tenant(t, test.own).Rights(t.Context(), applications())
			if err != nil {
				t.Fatal(err)
			}
			var missing, wide []string
			for _, r := range rights {
				what := strings.TrimSuffix(r.Name+" at "+r.Client, " at ")
				switch {
				case r.Missing() && r.Need != test.need:
					t.Errorf("%s is needed for %q, want %q", what, r.Need, test.need)
					fallthrough
				case r.Missing():
					missing = append(missing, what)
				case r.TooWide():
					wide = append(wide, what)
				}
			}
			if strings.Join(missing, ", ") != test.missing || strings.Join(wide, ", ") != test.wide {
				t.Errorf("missing %v, want %q; too wide %v, want %q", missing, test.missing, wide, test.wide)
			}
		})
	}
}

func TestWhatGrantsARightIsACommandForThisTenant(t *testing.T) {
	rights, err := tenant(t, sandbox.Registration{Roles: []string{ownedBy}}).Rights(t.Context(), applications())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rights, func(r providers.Right) bool { return r.Client == "theirs" })
	if i < 0 || rights[i].Change != "az ad app owner add --id obj --owner-object-id sp-rotad" {
		t.Errorf("%+v", rights)
	}
	if want := "az ad app permission add --id rotad --api 00000003-0000-0000-c000-000000000000 --api-permissions 18a4783c-866b-4cc7-a460-3d5e5662c884=Role"; !strings.Contains(rights[0].Change, want) {
		t.Errorf("%s", rights[0].Change)
	}
}

func TestATokenThatSaysNothingLeavesRightsUnknown(t *testing.T) {
	rights, err := tenant(t, sandbox.Registration{}).Rights(t.Context(), nil)
	if providers.ClassOf(err) != providers.ClassUnsupported || len(rights) != 0 {
		t.Errorf("%+v, error %v", rights, err)
	}
}
