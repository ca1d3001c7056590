package dex

import (
	"encoding/binary"
	"errors"
)

// Numbers of the fields that matter here, in the messages of Dex's API, version 2.
const (
	fieldClientID     = 1 // Client.id
	fieldClientSecret = 2 // Client.secret
	fieldClientPublic = 5 // Client.public
	fieldID           = 1 // id of a request
	fieldClient       = 1 // GetClientResp.client, CreateClientReq.client
	fieldExists       = 1 // CreateClientResp.already_exists
	fieldMade         = 2 // CreateClientResp.client
	fieldNotFound     = 1 // DeleteClientResp.not_found
	fieldClients      = 1 // ListClientResp.clients
	fieldInfoID       = 1 // ClientInfo.id
	fieldInfoPublic   = 4 // ClientInfo.public
	fieldInfoName     = 5 // ClientInfo.name
)

// Wire types of protobuf (protobuf.dev/programming-guides/encoding).
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

var errMessage = errors.New("the message is malformed")

// element is one field of a message, with the bytes that it is made of.
type element struct {
	number uint64
	wire   uint64
	varint uint64 // its value, of wireVarint
	bytes  []byte // its value, of wireBytes
	whole  []byte // tag and value, as they came
}

// elements takes a message apart.
func elements(message []byte) ([]element, error) {
	var all []element
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 || tag>>3 == 0 {
			return nil, errMessage
		}
		e := element{number: tag >> 3, wire: tag & 7}
		size, ok := e.read(message[n:])
		if !ok {
			return nil, errMessage
		}
		e.whole, message = message[:n+size], message[n+size:]
		all = append(all, e)
	}
	return all, nil
}

// read reads the value of a field from what follows its tag, and says how many bytes that is.
func (e *element) read(rest []byte) (size int, ok bool) {
	switch e.wire {
	case wireVarint:
		e.varint, size = binary.Uvarint(rest)
		return size, size > 0
	case wireFixed64:
		size = 8
	case wireFixed32:
		size = 4
	case wireBytes:
		length, n := binary.Uvarint(rest)
		if n <= 0 || length > uint64(len(rest)-n) { //nolint:gosec // n is no more than what is there
			return 0, false
		}
		size = n + int(length) //nolint:gosec // it is no more than what is there
		e.bytes = rest[n:size]
	default:
		return 0, false
	}
	return size, size <= len(rest)
}

// text returns the last value of a field of bytes, as protobuf has it; nil = it is not there.
func text(message []byte, number uint64) ([]byte, error) {
	all, err := elements(message)
	var found []byte
	for _, e := range all {
		if e.number == number && e.wire == wireBytes {
			found = append([]byte{}, e.bytes...)
		}
	}
	return found, err
}

// flag returns the last value of a boolean field.
func flag(message []byte, number uint64) (bool, error) {
	all, err := elements(message)
	set := false
	for _, e := range all {
		if e.number == number && e.wire == wireVarint {
			set = e.varint != 0
		}
	}
	return set, err
}

// put adds a field of bytes to a message.
func put(message []byte, number uint64, value []byte) []byte {
	message = binary.AppendUvarint(message, number<<3|wireBytes)
	message = binary.AppendUvarint(message, uint64(len(value)))
	return append(message, value...)
}

// with returns a message with another value in some fields of bytes, and every other field as it came.
func with(message []byte, values map[uint64][]byte) ([]byte, error) {
	all, err := elements(message)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, number := range []uint64{fieldClientID, fieldClientSecret} {
		if value, ok := values[number]; ok {
			out = put(out, number, value)
		}
	}
	for _, e := range all {
		if _, replaced := values[e.number]; !replaced {
			out = append(out, e.whole...)
		}
	}
	return out, nil
}
