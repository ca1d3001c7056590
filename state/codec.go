package state

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/rotad/rotad/internal/credential"
)

// Schema is the number of the schema that this program writes. A file with a higher one was written by a newer rotad and
// is refused. It is raised whenever an older rotad would lose something by reading and writing a value.
const Schema = 1

const (
	format   = 0x52 // first byte of every value; names this envelope
	overhead = 2 + crc32.Size
)

// codec is the one way in which Go values become bytes: core deterministic CBOR (RFC 8949 section 4.2.1), so that equal
// values have equal bytes and the audit can be hashed.
type codec struct {
	enc   cbor.EncMode
	dec   cbor.DecMode
	part  cbor.DecMode // the same, of a type that has some of the fields
	times map[reflect.Type]timeCheck
}

var wire = newCodec()

func newCodec() codec {
	options := cbor.CoreDetEncOptions()
	// Text is exact to the nanosecond; the numeric forms of the library go through floats, which are not.
	options.Time = cbor.TimeRFC3339NanoUTC
	enc, err := options.EncMode()
	if err != nil {
		panic(err)
	}
	decoding := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF,
		// Dropping a field that a newer rotad wrote could drop a promise, such as "a revoke has been sent".
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		IndefLength:       cbor.IndefLengthForbidden,
		// Texts of providers are stored as they came; one bad byte must not make a record unreadable.
		UTF8: cbor.UTF8DecodeInvalid,
		// What was written must be readable, however long a list has become.
		MaxArrayElements: math.MaxInt32,
		MaxMapPairs:      math.MaxInt32,
	}
	dec, err := decoding.DecMode()
	if err != nil {
		panic(err)
	}
	decoding.ExtraReturnErrors = cbor.ExtraDecErrorNone
	part, err := decoding.DecMode()
	if err != nil {
		panic(err)
	}
	times := make(map[reflect.Type]timeCheck)
	for _, t := range []reflect.Type{
		reflect.TypeFor[credential.Record](), reflect.TypeFor[credential.Notice](), reflect.TypeFor[credential.Audit](),
		reflect.TypeFor[credential.Tally](),
	} {
		times[t] = timeCheckFor(t)
	}
	return codec{enc: enc, dec: dec, part: part, times: times}
}

// Stored are the types that a store keeps.
type Stored interface {
	credential.Record | credential.Notice | credential.Audit | credential.Tally
}

// Encode turns a value into bytes that Decode can read: a value that could not be read again, such as a time after the
// year 9999, must fail before it is committed, not at the next start. Errors wrap ErrInvalid.
func Encode[T Stored](v *T) ([]byte, error) {
	if !wire.times[reflect.TypeFor[T]()](reflect.ValueOf(v).Elem()) {
		return nil, fmt.Errorf("encoding %T: %w: a time outside the years 0 to 9999", *v, ErrInvalid)
	}
	b, err := wire.enc.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding %T: %w: %w", *v, ErrInvalid, err)
	}
	return b, nil
}

// Decode is the inverse of Encode. Errors wrap ErrCorrupt.
func Decode[T Stored](b []byte) (T, error) {
	var v, none T
	if err := wire.dec.Unmarshal(b, &v); err != nil {
		return none, fmt.Errorf("decoding %T: %w: %w", v, ErrCorrupt, err)
	}
	return v, nil
}

// Standing is how far a stored notice is: its fields are those of credential.Notice.
type Standing struct {
	Key   string                 `json:"key"`
	State credential.NoticeState `json:"state,omitempty"`
	Due   time.Time              `json:"due,omitzero"`
}

// DecodeStanding reads how far an encoded notice is, which takes a fraction of what reading all of it takes. Whoever writes the notice
// back needs Decode. Errors wrap ErrCorrupt.
func DecodeStanding(notice []byte) (Standing, error) {
	var s Standing
	if err := wire.part.Unmarshal(notice, &s); err != nil {
		return Standing{}, fmt.Errorf("decoding %T: %w: %w", s, ErrCorrupt, err)
	}
	return s, nil
}

// Seal puts payloads, one after the other, into one envelope: format, schema, payload, and the CRC-32C of its key and
// all that. The key counts, so that a value under another key, or an index entry with a changed one, is noticed.
func Seal(key string, payload ...[]byte) []byte {
	size := overhead
	for _, p := range payload {
		size += len(p)
	}
	b := append(make([]byte, 0, size), format, Schema)
	for _, p := range payload {
		b = append(b, p...)
	}
	return binary.BigEndian.AppendUint32(b, checksum([]byte(key), b))
}

// Open returns the payload of the envelope under a key; it shares memory with value. Errors wrap ErrCorrupt or ErrNewer.
func Open(key, value []byte) ([]byte, error) {
	if len(value) < overhead {
		return nil, fmt.Errorf("a value of %d bytes: %w", len(value), ErrCorrupt)
	}
	body, sum := value[:len(value)-crc32.Size], value[len(value)-crc32.Size:]
	if checksum(key, body) != binary.BigEndian.Uint32(sum) {
		return nil, fmt.Errorf("the checksum of a value: %w", ErrCorrupt)
	}
	if body[0] != format {
		return nil, fmt.Errorf("a value of format %#x: %w", body[0], ErrNewer)
	}
	if body[1] > Schema {
		return nil, fmt.Errorf("a value of schema %d, where this rotad knows no schema after %d: %w", body[1], Schema, ErrNewer)
	}
	return body[2:], nil
}

func checksum(key, body []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(key, table), table, body)
}
