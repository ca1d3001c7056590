package config

import (
	"bufio"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// maxImportProblems bounds the problems of one import: who has a million wrong lines needs no list of them.
const maxImportProblems = 100

// errTooMany ends an import whose problems nobody would read.
var errTooMany = errors.New("more than 100 problems; the rest of the file was not looked at")

// importer is one run of DecodeClients.
type importer struct {
	name     string
	problems Problems
	yield    func(client credential.Client, line int) error
	settings clientSettings // of the line at hand; one for all lines, to spare the heap
}

// DecodeClients reads a file of clients for "rotad import": one JSON object per line (with the keys that clients have
// in YAML), or a YAML document with a list under "clients". Files named *.yaml or *.yml are YAML; of others the first
// character decides, "{" meaning JSON. JSON is read as a stream, so that memory does not grow with the file.
//
// Every client is checked for itself and handed to yield with its line; its Source is "name:line". A client with an
// error is not handed out. Names that it refers to, and duplicates, are for Config.CheckClient and for the store. The
// error is that of yield or of the reader, and it ends the run; problems do not.
func DecodeClients(r io.Reader, name string, yield func(client credential.Client, line int) error) (Problems, error) {
	in := &importer{name: name, yield: yield}
	buffered := bufio.NewReaderSize(r, 1<<16)
	var err error
	switch extension := strings.ToLower(filepath.Ext(name)); {
	case extension == ".yaml" || extension == ".yml" || !startsJSON(buffered):
		err = in.readYAML(buffered)
	default:
		err = in.readLines(buffered)
	}
	if errors.Is(err, errTooMany) {
		in.problems = append(in.problems, Problem{File: name, What: errTooMany.Error()})
		err = nil
	}
	return in.problems.sorted(), err
}

// startsJSON says whether the first character that is not space opens a JSON object.
func startsJSON(r *bufio.Reader) bool {
	head, _ := r.Peek(512)
	return strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), " \t\r\n"), "{")
}

// add keeps the problems of one line and says whether it may be used.
func (in *importer) add(line int, problems Problems) (usable bool, err error) {
	for _, p := range problems {
		p.File, p.Line = in.name, line
		in.problems = append(in.problems, p)
	}
	if len(in.problems) > maxImportProblems {
		err = errTooMany
	}
	return len(problems.Errors()) == 0, err
}

func (in *importer) reject(line int, path, what, hint string) error {
	_, err := in.add(line, Problems{{Path: path, What: what, Hint: hint}})
	return err
}

// client checks a decoded client and hands it out.
func (in *importer) client(line int, settings *clientSettings) error {
	client := settings.client(in.name + ":" + strconv.Itoa(line))
	if usable, err := in.add(line, checkClient(&client)); err != nil || !usable {
		return err
	}
	return in.yield(client, line)
}

// readYAML reads the whole document first: YAML has no end before its end.
func (in *importer) readYAML(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s := newSink()
	at, ok := parse(s, in.name, data)
	if !ok {
		in.problems = append(in.problems, s.problems...)
		return nil
	}
	d := newDecoder()
	var content included
	var entries []block
	d.structs(at, reflectElem(&content))
	if list := content.Clients.scope; !isNull(list.node) {
		d.value(list, reflectElem(&entries), field{})
	}
	for _, entry := range entries {
		if err = in.entry(d, entry.scope); err != nil {
			break
		}
	}
	in.problems = append(in.problems, s.problems...)
	return err
}

// entry hands out one client of a YAML list, unless decoding it has found an error.
func (in *importer) entry(d *decoder, at scope) error {
	before := len(at.sink.problems.Errors())
	var settings clientSettings
	d.structs(at, reflectElem(&settings))
	client := settings.client(in.name + ":" + strconv.Itoa(at.line))
	if !isNull(at.node) || len(at.sink.problems) == before {
		at.addAll(checkClient(&client))
	}
	switch found := len(at.sink.problems.Errors()); {
	case found > maxImportProblems:
		return errTooMany
	case found > before:
		return nil
	}
	return in.yield(client, at.line)
}
