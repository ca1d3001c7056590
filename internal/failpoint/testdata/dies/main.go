// Command dies passes the same point three times for two clients, and says what it has outlived.
package main

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/failpoint"
)

func main() {
	for _, client := range []string{"billing", "catalogue", "billing"} {
		failpoint.Hit("work", "begun", client)
		fmt.Println("outlived", client)
	}
	time.Sleep(200 * time.Millisecond)
	fmt.Println("ended")
}
