package canary_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/canary"
)

// BenchmarkSearch is the speed of one processor over log lines, with a million secrets to look for.
func BenchmarkSearch(b *testing.B) {
	for _, secrets := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(secrets), func(b *testing.B) {
			l := &canary.Ledger{}
			for range secrets {
				if _, err := l.Note("value", rand.Text()+rand.Text()); err != nil {
					b.Fatal(err)
				}
			}
			s := canary.NewSearch(l, secrets)
			if err := s.Learn(); err != nil {
				b.Fatal(err)
			}
			var text strings.Builder
			for text.Len() < 64<<20 {
				_, _ = fmt.Fprintf(&text, `{"time":"2026-03-02T08:00:00.000000001Z","level":"DEBUG","msg":"an effect ended",`+
					`"client":"client-%07d","rotation":"%s","effect":"verify","result":"done"}`+"\n", text.Len(), rand.Text())
			}
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				if err := s.Read("log", strings.NewReader(text.String())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
