package kills

import (
	"fmt"
	"strings"
	"syscall"
	"time"
)

// The processes that a kill costs time of.
const (
	costDaemon   = "rotad"
	costDriver   = "driver"
	costVault    = "Vault"
	costProvider = "provider"
	costKeycloak = "Keycloak"
)

// costs is how long each sort of process had a core. Unlike the time that a run takes, it does not depend on what else
// the machine does.
type costs map[string]time.Duration

// perKill tells what a kill has cost.
func (c costs) perKill(kills int) string {
	var parts []string
	var all time.Duration
	for _, who := range []string{costDaemon, costVault, costKeycloak, costProvider, costDriver} {
		all += c[who]
		parts = append(parts, fmt.Sprintf("%s %.3f", who, perKill(c[who], kills)))
	}
	return fmt.Sprintf("%.2f s (%s)", perKill(all, kills), strings.Join(parts, ", "))
}

func perKill(d time.Duration, kills int) float64 { return d.Seconds() / float64(max(1, kills)) }

// spent notes what a process that has done its work has cost.
func (c *campaign) spent(who string, cpu time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.cost[who] += cpu
}

// own is how long this process has had a core.
func own() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
