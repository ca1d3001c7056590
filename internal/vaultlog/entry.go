package vaultlog

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Read is one successful read of a KV v2 path, as an entry of the audit log tells of it
// (https://developer.hashicorp.com/vault/docs/audit/schema).
type Read struct {
	Namespace string // without slashes around it; empty = the root namespace
	Mount     string // without slashes around it
	Path      string // below the mount, without "data/"
	Entity    string // id of the entity that has read; empty = the login has none
	Role      string // of its login: role_name (AppRole) or role (JWT, Kubernetes); empty = the login has none
	Version   int    // that was handed out
}

// entry is the part of an audit entry that is looked at. Numbers are no HMACs there, and neither are the words of auth.metadata.
type entry struct {
	Type  string `json:"type"`
	Error string `json:"error"`
	Auth  struct {
		Entity   string `json:"entity_id"`
		Metadata struct {
			RoleName string `json:"role_name"`
			Role     string `json:"role"`
		} `json:"metadata"`
	} `json:"auth"`
	Request struct {
		Operation string `json:"operation"`
		Path      string `json:"path"`
		Mount     string `json:"mount_point"` // ends in a slash; older versions of Vault leave it out
		Namespace struct {
			Path string `json:"path"`
		} `json:"namespace"`
	} `json:"request"`
	Response struct {
		Data struct {
			Data     *struct{} `json:"data"` // null where the version was deleted
			Metadata struct {
				Version int `json:"version"`
			} `json:"metadata"`
		} `json:"data"`
	} `json:"response"`
}

// Parse reads one line. ok is false for everything that is no successful read of a version that has a value.
func Parse(line []byte) (r Read, ok bool) {
	if !bytes.Contains(line, []byte("/data/")) || !bytes.Contains(line, []byte(`"read"`)) {
		return Read{}, false // most lines, for a hundredth of the price
	}
	var e entry
	start := bytes.IndexByte(line, '{') // an audit device may have a prefix
	if start < 0 || json.Unmarshal(line[start:], &e) != nil {
		return Read{}, false
	}
	version := e.Response.Data.Metadata.Version
	if e.Type != "response" || e.Error != "" || e.Request.Operation != "read" || e.Response.Data.Data == nil || version <= 0 {
		return Read{}, false
	}
	r = Read{Namespace: strings.Trim(e.Request.Namespace.Path, "/"), Entity: e.Auth.Entity, Role: e.Auth.Metadata.RoleName, Version: version}
	if r.Role == "" {
		r.Role = e.Auth.Metadata.Role
	}
	r.Mount, r.Path, ok = split(e.Request.Path, e.Request.Mount)
	return r, ok
}

// split takes MOUNT/data/PATH apart.
func split(path, mount string) (at, below string, ok bool) {
	if mount == "" {
		at, below, ok = strings.Cut(path, "/data/")
	} else {
		at = strings.Trim(mount, "/")
		below, ok = strings.CutPrefix(path, at+"/data/")
	}
	return at, below, ok && at != "" && below != ""
}
