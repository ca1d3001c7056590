package handshake_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page shows the very lines that are tried here.
func TestTheExampleOfThePageWorks(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/reference/handshake.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(source), "// sayVersion tells")
	if example == "" || !strings.Contains(string(page), "// sayVersion tells"+example) {
		t.Error("docs/reference/handshake.md shows another example than example_test.go")
	}
	s := said{}
	server := httptest.NewServer(s.server().Handler())
	defer server.Close()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token(t, "billing-api", "web")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sayVersion(t.Context(), server.URL, "billing-api", "web", file, 42); err != nil || s.version != 42 {
		t.Errorf("noted %+v, %v", s, err)
	}
	if err := sayVersion(t.Context(), server.URL, "billing-api", "batch", file, 42); err == nil {
		t.Error("another consumer's word was taken")
	}
}
