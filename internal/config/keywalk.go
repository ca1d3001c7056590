package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// jsonKeys are the keys that a JSON object may have: what encoding/json takes without a word if they are unknown, given
// twice, or written in other letters.
type jsonKeys struct {
	path  string // of the object
	names []string
	index map[string]int // of a known key; nil = any key may stand here
	below []*jsonKeys    // of the values, by index
}

// keysOf derives the keys from a struct, or from the elements of a list of structs.
func keysOf(t reflect.Type, path string) *jsonKeys {
	k := &jsonKeys{path: path}
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || isScalar(t) {
		return k
	}
	k.index = map[string]int{}
	for i, f := range fieldsOf(t) {
		k.names = append(k.names, f.name)
		k.index[f.name] = i
		k.below = append(k.below, keysOf(f.typ, joinPath(path, f.name)))
	}
	return k
}

// check finds keys that are unknown or given twice in a text that is valid JSON.
func (k *jsonKeys) check(text []byte) Problems {
	w := keyWalk{text: text}
	w.value(k)
	return w.problems
}

// keyWalk walks over valid JSON, looking at keys only.
type keyWalk struct {
	text     []byte
	at       int
	problems Problems
}

func (w *keyWalk) value(k *jsonKeys) {
	w.space()
	switch w.text[w.at] {
	case '{':
		w.object(k)
	case '[':
		w.array(k)
	case '"':
		w.word()
	default:
		for w.at < len(w.text) && strings.IndexByte(",]} \t\r\n", w.text[w.at]) < 0 {
			w.at++
		}
	}
}

func (w *keyWalk) space() {
	for w.at < len(w.text) && strings.IndexByte(" \t\r\n", w.text[w.at]) >= 0 {
		w.at++
	}
}

// word returns the content of a string as it is written, escapes included.
func (w *keyWalk) word() []byte {
	begin := w.at + 1
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.text[begin : w.at-1]
}

func (w *keyWalk) array(k *jsonKeys) {
	for i := 0; ; i++ {
		w.at++ // the bracket, or a comma
		w.space()
		if w.text[w.at] == ']' {
			break
		}
		w.value(k)
		w.space()
		if w.text[w.at] == ']' {
			break
		}
	}
	w.at++
}

func (w *keyWalk) object(k *jsonKeys) {
	var seen seenKeys
	for {
		w.at++ // the brace, or a comma
		w.space()
		if w.text[w.at] == '}' {
			break
		}
		below := w.key(k, &seen)
		w.space()
		w.at++ // the colon
		w.value(below)
		w.space()
		if w.text[w.at] == '}' {
			break
		}
	}
	w.at++
}

// key judges one key, and returns what is known of the keys below it.
func (w *keyWalk) key(k *jsonKeys, seen *seenKeys) *jsonKeys {
	written := w.word()
	if i, known := k.index[string(written)]; known {
		if seen.known(i) {
			w.add(k, k.names[i], "is given twice", "delete one of them")
		}
		return k.below[i]
	}
	name := unescape(written)
	switch {
	case k.index != nil:
		w.add(k, name, "unknown key", suggest(name, k.names))
	case seen.free(name):
		w.add(k, name, "is given twice", "delete one of them")
	}
	return k.free()
}

// free is what stands below a key that is not known: more of the same map, or anything.
func (k *jsonKeys) free() *jsonKeys {
	if k.index == nil {
		return k
	}
	return &jsonKeys{path: k.path}
}

func (w *keyWalk) add(k *jsonKeys, key, what, hint string) {
	w.problems = append(w.problems, Problem{Path: joinPath(k.path, key), What: what, Hint: hint})
}

func unescape(written []byte) string {
	if bytes.IndexByte(written, '\\') < 0 {
		return string(written)
	}
	var name string
	if json.Unmarshal([]byte(`"`+string(written)+`"`), &name) != nil {
		return string(written)
	}
	return name
}

// seenKeys are the keys of one object so far.
type seenKeys struct {
	bits  uint64
	first string
	some  bool
	more  map[string]bool
}

func (s *seenKeys) known(i int) (again bool) {
	again = s.bits&(1<<i) != 0
	s.bits |= 1 << i
	return again
}

// free remembers a key of a map. Most maps have one key, which costs no map here.
func (s *seenKeys) free(name string) (again bool) {
	if !s.some {
		s.first, s.some = name, true
		return false
	}
	if s.more == nil {
		s.more = map[string]bool{s.first: true}
	}
	again = s.more[name]
	s.more[name] = true
	return again
}
