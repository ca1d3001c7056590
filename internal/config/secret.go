package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// ErrNoSecret says that a secret setting is not configured: neither x_file nor x_env is written.
var ErrNoSecret = errors.New("the secret is not configured")

// maxSecret bounds the size of a secret file, in bytes.
const maxSecret = 1 << 20

// Secrets reads secret settings by name: "password" stands for the pair password_file and password_env. A secret is
// read afresh each time, so that a replaced file is seen. ErrNoSecret: the setting is not written.
type Secrets func(name string) (string, error)

// secretsOf returns the reader of the secrets of a decoded settings struct.
func secretsOf(settings any) Secrets {
	written := textsOf(settings)
	return func(name string) (string, error) {
		switch file, env := written[name+"_file"], written[name+"_env"]; {
		case file != "":
			return readSecret(file)
		case env != "":
			return lookupSecret(env)
		}
		return "", fmt.Errorf("reading %s: %w", name, ErrNoSecret)
	}
}

// textsOf returns the settings of a decoded struct that are texts, by name, whether they are written or not.
func textsOf(settings any) map[string]string {
	texts := map[string]string{}
	if v := reflect.Indirect(reflect.ValueOf(settings)); v.Kind() == reflect.Struct {
		for _, f := range fieldsOf(v.Type()) {
			if f.typ.Kind() == reflect.String {
				texts[f.name] = v.FieldByIndex(f.index).String()
			}
		}
	}
	return texts
}

// readSecret reads a file without the line end that editors leave.
func readSecret(file string) (string, error) {
	f, err := os.Open(file) //nolint:gosec // the configuration names it
	if err != nil {
		return "", fmt.Errorf("opening the secret file: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the secret file: %w", err)
	case len(data) > maxSecret:
		return "", fmt.Errorf("reading the secret file %s: it is larger than 1 MiB", file)
	}
	value := strings.TrimRight(string(data), "\r\n")
	if value == "" {
		return "", fmt.Errorf("reading the secret file %s: it is empty", file)
	}
	return value, nil
}

func lookupSecret(name string) (string, error) {
	value, ok := os.LookupEnv(name)
	if !ok || value == "" {
		return "", errors.New("reading a secret: its environment variable is not set")
	}
	return value, nil
}

// references checks what a struct's *_file and *_env settings name, and that of each secret at most one is written.
func (d *decoder) references(s scope, all []field, places map[string]slot) {
	text := func(name string) string { return places[name].in.FieldByIndex(places[name].field.index).String() }
	for _, f := range all {
		if f.typ.Kind() != reflect.String || !strings.HasSuffix(f.name, "_file") {
			continue
		}
		at := s.child(f.name)
		base, secret := secretOf(f.name, all)
		if !secret {
			if text(f.name) != "" {
				d.checkFile(at, text(f.name), f.secret)
			} else if f.secret && at.isEmptyText() {
				at.report("is empty", "write the path of a file")
			}
			continue
		}
		d.checkPair(s, base, text(base+"_file"), text(base+"_env"), f.required)
	}
}

func (d *decoder) checkPair(s scope, base, file, env string, required bool) {
	fileAt, envAt := s.child(base+"_file"), s.child(base+"_env")
	switch {
	case fileAt.written() && envAt.written():
		envAt.report(fmt.Sprintf("%s_file is given as well", base), "write one of the two")
	case required && !fileAt.written() && !envAt.written():
		if s.child(base).written() {
			return // inline, which has been reported
		}
		fileAt.report("is required", fmt.Sprintf("or write %s_env", base))
	case file != "":
		d.checkFile(fileAt, file, true)
	case env != "":
		d.checkVariable(envAt, env)
	case fileAt.isEmptyText():
		fileAt.report("is empty", "write the path of a file")
	case envAt.isEmptyText():
		envAt.report("is empty", "write the name of an environment variable")
	}
}

// isEmptyText says whether an empty text is written. What is written with a mistake has been reported already.
func (s scope) isEmptyText() bool {
	return s.written() && !isNull(s.node) && s.node.Value == "" && s.node.ShortTag() == "!!str"
}

// checkVariable never repeats what is written: where a name is expected, people paste values.
func (d *decoder) checkVariable(s scope, name string) {
	value, set := d.env(name)
	switch {
	case !variableName.MatchString(name):
		s.report("is not the name of an environment variable", "write its name, not its value")
	case d.syntax:
	case !set:
		s.report("names an environment variable that is not set", "")
	case value == "":
		s.report("names an environment variable that is empty", "")
	}
}

func (d *decoder) checkFile(s scope, file string, secret bool) {
	if d.syntax {
		return
	}
	shown := ""
	if !secret || looksLikePath(s) {
		shown = " " + file
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && secret:
		s.report("the file"+shown+" does not exist", "put the secret into it, readable by rotad alone (chmod 600)")
	case errors.Is(err, fs.ErrNotExist):
		s.report("the file"+shown+" does not exist", "")
	case err != nil:
		s.report("the file"+shown+" cannot be looked at: "+cause(err), "")
	case !info.Mode().IsRegular():
		s.report("the file"+shown+" is not a regular file", "")
	case info.Size() == 0:
		s.report("the file"+shown+" is empty", "")
	default:
		d.checkAccess(s, file, info.Mode(), secret)
	}
}

// looksLikePath says whether what is written may be repeated in a message. People paste secrets where a path belongs.
func looksLikePath(s scope) bool {
	return s.written() && s.node.Value != "" && strings.ContainsAny(s.node.Value[:1], "/.$")
}

// checkAccess opens a file, because only that shows whether it can be read, and looks at who else can.
func (d *decoder) checkAccess(s scope, file string, mode fs.FileMode, secret bool) {
	f, err := os.Open(file) //nolint:gosec // the configuration names it
	if err != nil {
		s.report("the file cannot be read: "+cause(err), "")
		return
	}
	_ = f.Close()
	if !secret || d.guarded(file) {
		return
	}
	switch perm := mode.Perm(); {
	case perm&0o002 != 0:
		s.report("everybody can write this secret file", "chmod 600 "+file)
	case perm&0o044 != 0:
		s.warn(fmt.Sprintf("others can read this secret file (mode %04o)", perm), "chmod 600 "+file)
	}
}

// guarded says whether a file lies where something else guards it: systemd credentials, container secrets, Kubernetes
// volumes (which carry a "..data" link). Modes mean nothing there.
func (d *decoder) guarded(file string) bool {
	places := []string{"/run/secrets", "/var/run/secrets"}
	if dir, ok := d.env("CREDENTIALS_DIRECTORY"); ok && filepath.IsAbs(dir) {
		places = append(places, dir)
	}
	for _, dir := range places {
		if below, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(below) {
			return true
		}
	}
	_, err := os.Lstat(filepath.Join(filepath.Dir(file), "..data"))
	return err == nil
}

// cause is the bare reason of an error of the operating system, without the path that the message names already.
func cause(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}
