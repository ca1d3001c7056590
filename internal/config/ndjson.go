package config

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// maxLine bounds one line of an import, in bytes.
const maxLine = 1 << 20

// readLines reads one JSON object per line. A line with a mistake does not end the run.
func (in *importer) readLines(r *bufio.Reader) error {
	keys := keysOf(reflect.TypeFor[clientSettings](), "")
	var kept []byte
	for line := 1; ; line++ {
		text, long, err := readLine(r, kept[:0])
		kept = text
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading line %d of %s: %w", line, in.name, err)
		}
		if problem := in.line(line, text, long, keys); problem != nil {
			return problem
		}
		if err != nil {
			return nil
		}
	}
}

func (in *importer) line(line int, text []byte, long bool, keys *jsonKeys) error {
	if line == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	text = bytes.TrimSpace(text)
	switch {
	case long:
		return in.reject(line, "", "is longer than 1 MiB", "write one client per line")
	case len(text) == 0:
		return nil
	}
	in.settings = clientSettings{}
	if err := json.Unmarshal(text, &in.settings); err != nil {
		path, what, hint := jsonProblem(err)
		return in.reject(line, path, what, hint)
	}
	if usable, err := in.add(line, keys.check(text)); err != nil || !usable {
		return err
	}
	return in.client(line, &in.settings)
}

// readLine appends one line to kept, without its end. A line that is too long is read to its end, and dropped.
func readLine(r *bufio.Reader, kept []byte) (line []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(kept)+len(part) > maxLine; !long {
			kept = append(kept, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return kept, long, err
		}
	}
}

// jsonProblem says in the words of people what encoding/json found.
func jsonProblem(err error) (path, what, hint string) {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType):
		want := wanted(wrongType.Type)
		if kind := wrongType.Type.Kind(); !isScalar(wrongType.Type) && (kind == reflect.Struct || kind == reflect.Map) {
			want = "an object"
		} else if kind == reflect.Slice {
			want = "an array"
		}
		return wrongType.Field, fmt.Sprintf("is of the type %s, not %s", wrongType.Value, want), ""
	case errors.As(err, &syntax):
		return "", "is not JSON: " + syntax.Error(), "write one object per line"
	}
	return "", err.Error(), ""
}
