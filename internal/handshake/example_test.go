package handshake_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// sayVersion tells rotad which version of its secret this service runs on. Say it after each login with a new version, and
// once more every hour, so that rotad sees who has gone back to an older one.
func sayVersion(ctx context.Context, rotad, client, consumer, tokenFile string, version int) error {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	url := rotad + "/v1/clients/" + client + "/consumers/" + consumer
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(fmt.Sprintf(`{"version": %d}`, version)))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("rotad says %s", reply.Status)
	}
	return nil
}
