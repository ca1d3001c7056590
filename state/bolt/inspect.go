package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/rotad/rotad/state"
)

// The layout of a bbolt file (bbolt v1.5.0, internal/common): two meta pages, then pages of a B+tree and the list of
// free ones. All numbers are in the byte order of the machine.
const (
	pageHeader  = 16
	metaLength  = 64 // with its checksum
	bucketHead  = 16 // root page and sequence
	leafElement = 16
	nodeElement = 16
	maxDepth    = 64
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	minPage     = 1024
	maxPage     = 1024 << 14
	noFreelist  = ^uint64(0)

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
)

// image is a state file as bytes. It is read with bounds checked at every step and without bbolt, whose reader trusts
// its pages: a damaged one would end in a panic or a fault, and a cut file in SIGBUS.
type image struct {
	data    []byte
	page    uint64 // bytes of a page
	pages   uint64 // pages in use, from the meta page
	root    uint64
	free    uint64
	damaged bool     // one of the two meta pages is not valid: usual after a crash
	seen    []uint64 // a bit per page
	buckets []string // names, in their order
	visit   func(bucket string, key, value []byte) error
}

// inspect checks every page that a file uses and the checksum of every value, and shows every value to visit. Errors
// wrap state.ErrCorrupt or state.ErrNewer.
func inspect(data []byte, visit func(bucket string, key, value []byte) error) (*image, error) {
	m := &image{data: data, visit: visit}
	if err := m.readMeta(); err != nil {
		return nil, err
	}
	if whole := uint64(len(data)) / m.page; whole < m.pages {
		return nil, bad("it is cut off: %d pages of %d", whole, m.pages)
	}
	m.seen = make([]uint64, m.pages/64+1)
	m.seen[0] = 3 // the meta pages
	if err := m.walk(m.root, "", nil, nil, 0); err != nil {
		return nil, err
	}
	return m, m.checkFreelist()
}

func num16(b []byte) uint64 { return uint64(binary.NativeEndian.Uint16(b)) }
func num32(b []byte) uint64 { return uint64(binary.NativeEndian.Uint32(b)) }
func num64(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }

func bad(text string, args ...any) error {
	return fmt.Errorf("%w: %s", state.ErrCorrupt, fmt.Sprintf(text, args...))
}

// meta is a decoded meta page.
type meta struct{ page, root, free, pages, txid uint64 }

// readMeta finds the newer of the two valid meta pages. The second one stands at the size of a page, which is only
// known from the first; if that is damaged, every possible size is tried, as bbolt does.
func (m *image) readMeta() error {
	var newest meta
	valid := 0
	try := func(at uint64) {
		found, ok := parseMeta(m.data, at)
		if !ok || (at != 0 && found.page != at) {
			return
		}
		if valid++; valid == 1 || found.txid > newest.txid {
			newest = found
		}
	}
	try(0)
	if valid == 1 {
		try(newest.page)
	} else {
		for size := uint64(minPage); size <= maxPage && valid == 0; size *= 2 {
			try(size)
		}
	}
	if valid == 0 {
		return bad("it is no state file, or its first pages are damaged")
	}
	m.damaged = valid == 1
	m.page, m.root, m.free, m.pages = newest.page, newest.root, newest.free, newest.pages
	return nil
}

func parseMeta(data []byte, at uint64) (meta, bool) {
	if uint64(len(data)) < at+pageHeader+metaLength {
		return meta{}, false
	}
	b := data[at+pageHeader:][:metaLength]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaLength-8])
	if num32(b) != boltMagic || num32(b[4:]) != boltVersion || num64(b[56:]) != sum.Sum64() {
		return meta{}, false
	}
	found := meta{page: num32(b[8:]), root: num64(b[16:]), free: num64(b[32:]), pages: num64(b[40:]), txid: num64(b[48:])}
	sane := found.page >= minPage && found.page <= maxPage && found.page&(found.page-1) == 0 &&
		found.pages < 1<<48 && found.root < found.pages && (found.free < found.pages || found.free == noFreelist)
	return found, sane
}

// take returns the bytes of a page with what it overflows into, and marks them as used.
func (m *image) take(id uint64) ([]byte, error) {
	if id < 2 || id >= m.pages {
		return nil, bad("page %d lies outside the file", id)
	}
	b := m.data[id*m.page:]
	overflow := num32(b[12:])
	if num64(b) != id || overflow >= m.pages-id {
		return nil, bad("page %d is damaged", id)
	}
	for i := id; i <= id+overflow; i++ {
		if err := m.mark(i); err != nil {
			return nil, err
		}
	}
	return b[:(overflow+1)*m.page], nil
}

func (m *image) mark(id uint64) error {
	if m.seen[id/64]&(1<<(id%64)) != 0 {
		return bad("page %d is used twice", id)
	}
	m.seen[id/64] |= 1 << (id % 64)
	return nil
}

// walk reads the tree below a page. Keys must rise and lie in [low, high); nil = no bound.
func (m *image) walk(id uint64, bucket string, low, high []byte, depth int) error {
	b, err := m.take(id)
	if err != nil {
		return err
	}
	if depth > maxDepth {
		return bad("page %d: the tree is too deep", id)
	}
	switch num16(b[8:]) {
	case flagLeaf:
		return m.leaf(b, bucket, low, high)
	case flagBranch:
		return m.branch(b, bucket, low, high, depth)
	default:
		return bad("page %d is of no known kind", id)
	}
}

func (m *image) branch(b []byte, bucket string, low, high []byte, depth int) error {
	type child struct {
		key  []byte
		page uint64
	}
	children := make([]child, num16(b[10:]))
	if len(children) == 0 {
		return bad("page %d is empty", num64(b))
	}
	for i := range children {
		key, page, err := branchElement(b, uint64(i))
		if err != nil {
			return err
		}
		children[i] = child{key, page}
	}
	for i, c := range children {
		below := high
		if i+1 < len(children) {
			below = children[i+1].key
		}
		if bytes.Compare(c.key, low) < 0 || !before(c.key, below) {
			return bad("page %d: its keys are out of order", num64(b))
		}
		if err := m.walk(c.page, bucket, c.key, below, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// before says whether a key lies below a bound; nil = no bound.
func before(key, bound []byte) bool { return bound == nil || bytes.Compare(key, bound) < 0 }

func branchElement(b []byte, i uint64) (key []byte, child uint64, err error) {
	at := pageHeader + i*nodeElement
	if at+nodeElement > uint64(len(b)) {
		return nil, 0, bad("page %d is damaged", num64(b))
	}
	start := at + num32(b[at:])
	end := start + num32(b[at+4:])
	if end > uint64(len(b)) || start == end {
		return nil, 0, bad("page %d is damaged", num64(b))
	}
	return b[start:end], num64(b[at+8:]), nil
}

func (m *image) leaf(b []byte, bucket string, low, high []byte) error {
	for i := range num16(b[10:]) {
		at := pageHeader + i*leafElement
		if at+leafElement > uint64(len(b)) {
			return bad("page %d is damaged", num64(b))
		}
		start := at + num32(b[at+4:])
		split := start + num32(b[at+8:])
		end := split + num32(b[at+12:])
		if end > uint64(len(b)) || start == split {
			return bad("page %d is damaged", num64(b))
		}
		key := b[start:split]
		if order := bytes.Compare(key, low); order < 0 || (order == 0 && i > 0) || !before(key, high) {
			return bad("page %d: its keys are out of order", num64(b))
		}
		if err := m.entry(bucket, num32(b[at:]), key, b[split:end]); err != nil {
			return err
		}
		low = key
	}
	return nil
}

// entry checks one pair: a bucket at the top level, a sealed value below it.
func (m *image) entry(bucket string, flags uint64, key, value []byte) error {
	if bucket == "" {
		if flags != 1 || len(value) < bucketHead {
			return bad("%q is no bucket", key)
		}
		m.buckets = append(m.buckets, string(key))
		if root := num64(value); root != 0 {
			return m.walk(root, string(key), nil, nil, 1)
		}
		inline := value[bucketHead:]
		if len(inline) < pageHeader || num16(inline[8:]) != flagLeaf {
			return bad("bucket %q is damaged", key)
		}
		return m.leaf(inline, string(key), nil, nil)
	}
	if flags != 0 {
		return bad("a bucket inside of bucket %q", bucket)
	}
	payload, err := state.Open(key, value)
	if err != nil {
		return fmt.Errorf("bucket %s, key %q: %w", bucket, key, err)
	}
	return m.visit(bucket, key, payload)
}

// checkFreelist reads the list of free pages: bbolt writes over every page that stands on it.
func (m *image) checkFreelist() error {
	if m.free == noFreelist {
		return nil
	}
	b, err := m.take(m.free)
	if err != nil {
		return err
	}
	count, at := num16(b[10:]), uint64(pageHeader)
	if count == 0xFFFF {
		count, at = num64(b[at:]), at+8
	}
	if num16(b[8:]) != flagFreelist || count > (uint64(len(b))-at)/8 {
		return bad("page %d: the list of free pages is damaged", m.free)
	}
	for i := range count {
		id := num64(b[at+8*i:])
		if id < 2 || id >= m.pages {
			return bad("page %d lies outside the file and is listed as free", id)
		}
		if err := m.mark(id); err != nil {
			return fmt.Errorf("the list of free pages: %w", err)
		}
	}
	return nil
}
