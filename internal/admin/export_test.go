package admin

// What the tests of the wire format need.
var (
	DecodeCommand = decodeCommand
	EncodeCommand = encodeCommand
)

// The limits that the tests go up to.
const (
	MaxBody  = maxBody
	MaxValue = maxValue
)
