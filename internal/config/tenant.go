package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Settings of kinds that say which tenant a block asks, and as whom. A kind that has none of the first ones asks no server whose
// limits could be shared.
var (
	serverKeys  = []string{"url", "address", "tenant_id", "user_pool"}
	tenantKeys  = append([]string{"realm", "region", "namespace", "mount", "group", "team", "host_id", "preset", "vars"}, serverKeys...)
	accountKeys = []string{"client_id", "role_id"}
)

// sharers warns of blocks that ask one tenant with one account. The provider counts them together, and rotad each alone.
func sharers(all []Provider, at map[string]scope) {
	first := map[string]string{}
	for _, p := range all {
		key, ok := p.asks()
		if !ok {
			continue
		}
		if other, shared := first[key]; shared {
			at[p.Name].warn(fmt.Sprintf("asks the same tenant with the same account as providers.%s, and limits and wave count for each block alone", other),
				"use one block, or divide what the tenant allows between their limits")
			continue
		}
		first[key] = p.Name
	}
}

// asks names the tenant that a block asks, and its account there; ok is false where there is no server, or nothing is known of it.
func (p *Provider) asks() (key string, ok bool) {
	if p.Settings == nil {
		return "", false
	}
	written := map[string]string{}
	texts(reflectElem(p.Settings), written)
	if !slices.ContainsFunc(serverKeys, func(k string) bool { _, has := written[k]; return has }) {
		return "", false
	}
	var tenant, account, secrets []string
	for _, k := range sortedKeys(written) {
		v := k + "=" + strings.ToLower(strings.TrimRight(written[k], "/"))
		switch {
		case slices.Contains(tenantKeys, k):
			tenant = append(tenant, v)
		case slices.Contains(accountKeys, k) && written[k] != "":
			account = append(account, v)
		case strings.HasSuffix(k, "_file") || strings.HasSuffix(k, "_env"):
			secrets = append(secrets, k+"="+written[k])
		}
	}
	if len(account) == 0 {
		account = secrets
	}
	return strings.Join(slices.Concat([]string{p.Kind}, tenant, account), "\x00"), true
}

// texts collects the settings of a kind that are texts, or names with texts.
func texts(v reflect.Value, out map[string]string) {
	for i := range v.NumField() {
		key, rest, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		field := v.Field(i)
		switch {
		case rest == "inline" && field.Kind() == reflect.Struct:
			texts(field, out)
		case key == "" || key == "-":
		case field.Kind() == reflect.String:
			out[key] = field.String()
		case field.Kind() == reflect.Map:
			out[key] = fmt.Sprint(field) // in the order of its keys
		}
	}
}
