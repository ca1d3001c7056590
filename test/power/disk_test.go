package power

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A disk that forgets too little would prove nothing, one that forgets too much would blame rotad.
func TestWhatACutMayTake(t *testing.T) {
	write := func(file uint64, at int64, text string) Op {
		return Op{Kind: Write, File: file, At: at, Data: []byte(text)}
	}
	link := Op{Kind: Link, File: 1, Name: "a"}
	tests := map[string]struct {
		ops  []Op
		want []string // every content of "a" that may be found; "-" = there is none
	}{
		"a name is not durable by the fsync of its file": {[]Op{link, write(1, 0, "x"), {Kind: Sync, File: 1}}, []string{"-", "x"}},
		"a file is not durable by the fsync of its name": {[]Op{link, {Kind: SyncDir}, write(1, 0, "x")}, []string{"", "x"}},
		"both are durable by both":                       {[]Op{link, {Kind: SyncDir}, write(1, 0, "x"), {Kind: Sync, File: 1}}, []string{"x"}},
		"the fsync of another file covers nothing":       {[]Op{link, {Kind: SyncDir}, write(1, 0, "x"), {Kind: Sync, File: 2}}, []string{"", "x"}},
		"what was written twice is any of the two": {
			[]Op{link, {Kind: SyncDir}, write(1, 0, "x"), {Kind: Sync, File: 1}, write(1, 0, "y"), write(1, 0, "z")}, []string{"x", "y", "z"},
		},
		"a rename is done or not": {
			[]Op{link, write(1, 0, "x"), {Kind: Sync, File: 1}, {Kind: SyncDir}, {Kind: Link, File: 2, Name: "b"}, write(2, 0, "y"), {Kind: Sync, File: 2}, {Kind: SyncDir}, {Kind: Rename, Name: "b", To: "a"}},
			[]string{"x", "y"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := NewDisk(NewVolume())
			for _, op := range test.ops {
				d.do(op)
			}
			random, found := rand.New(rand.NewPCG(1, 2)), map[string]bool{}
			for range 500 {
				v, _, _ := d.Cut(random)
				found[text(v, "a")] = true
			}
			for content := range found {
				if !slices.Contains(test.want, content) {
					t.Errorf("a cut leaves %q", content)
				}
			}
			if len(found) != len(test.want) {
				t.Errorf("cuts leave %v, want %q", found, test.want)
			}
		})
	}
}

func text(v *Volume, name string) string {
	if !v.Has(name) {
		return "-"
	}
	into := make([]byte, v.Size(name))
	return string(into[:v.Read(v.names[name], 0, into)])
}

func TestAWriteIsTornAtItsSectors(t *testing.T) {
	data := make([]byte, 3*Page)
	for grain, want := range map[int64]string{Sector: "[212 512 512", Page: "[3796 4096 4096 300]"} {
		var sizes []int
		for _, piece := range Pieces([]Op{{Kind: Write, At: 300, Data: data}}, grain) {
			sizes = append(sizes, len(piece.Data))
		}
		if got := fmt.Sprint(sizes); got[:len(want)] != want {
			t.Errorf("by %d: %s, want %s", grain, got, want)
		}
	}
}

func TestTheDiskIsFullWhereItIsToBe(t *testing.T) {
	d := NewDisk(NewVolume())
	d.FullAfter(1, 5)
	for i, want := range []int{8, 5, 0, 0} {
		if n, err := d.room(1, int64(8*i), 8); n != want || (err != 0) != (want == 0) {
			t.Errorf("write %d: room for %d (%v), want %d", i, n, err, want)
		}
	}
	if _, free := d.free(); free != 0 {
		t.Errorf("a full disk has %d bytes free", free)
	}
	d.MakeRoom()
	d.Limit(Page)
	if n, _ := d.room(1, 0, 2*Page); n != Page {
		t.Errorf("a page has room for %d", n)
	}
}
