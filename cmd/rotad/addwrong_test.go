package main

import (
	"regexp"
	"testing"
)

// Every key that "rotad add" writes is named by a flag that exists, and every flag that describes a client is named.
func TestEverySettingOfAClientHasItsFlag(t *testing.T) {
	one := map[string]string{"a": "b"}
	whole := addFlags{
		provider: "x", owner: "x", policy: "x", path: "x", mount: "x", namespace: "x", expires: "x", currentID: "x", grace: "x",
		method: "x", auth: "x", renamed: "x", ref: one, fields: one, labels: one, cutover: true, bootstrap: true, keepRetired: true,
	}.entry("x")
	flags := newAdd(&app{}).Flags()
	named := map[string]bool{}
	var visit func(before string, entry map[string]any)
	visit = func(before string, entry map[string]any) {
		for key, value := range entry {
			if section, ok := value.(map[string]any); ok {
				visit(before+key+".", section)
			} else {
				named[asFlag(before+key)] = true
			}
		}
	}
	visit("", whole)
	if !named["ID"] {
		t.Error("the id has no name")
	}
	delete(named, "ID")
	for name := range named {
		if flags.Lookup(name[2:]) == nil {
			t.Errorf("there is no flag %s", name)
		}
	}
	for _, found := range regexp.MustCompile(`(?m)^ *(?:-\w, +)?(--[a-z-]+)`).FindAllStringSubmatch(flags.FlagUsages(), -1) {
		switch flag := found[1]; flag {
		case "--file", "--dry-run", "--allow-missing", "--reason": // not of the client
		default:
			if !named[flag] {
				t.Errorf("nothing is named by %s", flag)
			}
		}
	}
	for path, want := range map[string]string{"ref.client_id": "--ref client_id", "vault.fields.x": "--vault-field x", "labels.a": "--label a"} {
		if got := asFlag(path); got != want {
			t.Errorf("%s is called %q, want %q", path, got, want)
		}
	}
}
