package canary

import (
	"encoding/binary"
	"math/bits"
)

// window is how many bytes of a pattern are looked up.
const window = 12

// table finds patterns by their first bytes. The filter has 32 bits for every pattern and refuses nearly every position
// with one look; the slots hold, each in 64 bits, half of the hash and what it belongs to.
type table struct {
	filter []uint64
	slots  []uint64
	mask   uint64 // of a slot's number
	bits   uint64 // of a bit's number in the filter
	used   int
	class  [256]uint32 // by byte: the kinds of patterns in whose windows it occurs, a bit for each
}

// newTable makes room for so many patterns.
func newTable(patterns int) *table {
	size := uint64(1) << bits.Len(uint(max(patterns, 1<<10)*3/2))
	return &table{filter: make([]uint64, size/2), slots: make([]uint64, size), mask: size - 1, bits: size*32 - 1}
}

// hash mixes the first bytes of b, as wyhash does: the two halves of a product.
func hash(b []byte) uint64 {
	high, low := bits.Mul64(binary.LittleEndian.Uint64(b)^0xa0761d6478bd642f,
		uint64(binary.LittleEndian.Uint32(b[8:]))^0xe7037ed1a0b428db)
	return high ^ low
}

// full says that another pattern would make the table slow.
func (t *table) full() bool { return t.used*4 >= len(t.slots)*3 }

// add enters a pattern of a kind under an id above 0. Kinds that share a bit cost some looks and hide nothing.
func (t *table) add(pattern []byte, kind int, id uint32) {
	for _, b := range pattern[:window] {
		t.class[b] |= 1 << (kind % 32)
	}
	h := hash(pattern)
	bit := h & t.bits
	t.filter[bit/64] |= 1 << (bit % 64)
	slot := h & t.mask
	for t.slots[slot] != 0 {
		slot = (slot + 1) & t.mask
	}
	t.slots[slot] = h&^0xffffffff | uint64(id)
	t.used++
}

// may says whether a hash may be in the table.
func (t *table) may(h uint64) bool {
	bit := h & t.bits
	return t.filter[bit/64]&(1<<(bit%64)) != 0
}

// each calls f with the id of every pattern that may have this hash.
func (t *table) each(h uint64, f func(id uint32)) {
	for slot := h & t.mask; t.slots[slot] != 0; slot = (slot + 1) & t.mask {
		if t.slots[slot]>>32 == h>>32 {
			f(uint32(t.slots[slot])) //nolint:gosec // its lower half
		}
	}
}

// windows calls f with every position of b at which a pattern may begin. Where the bytes of a window do not occur together
// in any kind of pattern, as blanks and small letters do not, no window that holds these bytes has to be looked up. Most
// of a text is passed over in that way, and each look into a large table is one into slow memory.
func (t *table) windows(b []byte, f func(at int, h uint64)) {
	at := 0
	for at+window <= len(b) {
		last := at + window - 1
		kinds := t.class[b[last]]
		for last > at && kinds != 0 {
			last--
			kinds &= t.class[b[last]]
		}
		if kinds == 0 {
			at = last + 1
			continue
		}
		at = t.run(b, at, kinds, f)
	}
}

// run probes from at on, as long as some kind of pattern has all the bytes since then, and returns where to go on.
func (t *table) run(b []byte, at int, kinds uint32, f func(at int, h uint64)) int {
	for {
		if h := hash(b[at:]); t.may(h) {
			f(at, h)
		}
		at++
		if at+window > len(b) {
			return len(b)
		}
		if kinds &= t.class[b[at+window-1]]; kinds == 0 {
			return at
		}
	}
}
