package servers

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

const (
	alertmanagerProgram = "/usr/bin/prometheus-alertmanager"
	amtoolProgram       = "/usr/bin/amtool"
)

// Alertmanager is a running Alertmanager that has no peers.
type Alertmanager struct {
	Address string // host:port
	process *Process
}

// InstallAlertmanager installs Alertmanager and amtool from Debian where they are missing, and returns amtool.
func InstallAlertmanager(ctx context.Context, cache Cache) (amtool string, err error) {
	return amtoolProgram, cache.debian(ctx, []string{alertmanagerProgram, amtoolProgram}, "prometheus-alertmanager")
}

// StartAlertmanager starts an Alertmanager with a configuration and waits until it answers.
func StartAlertmanager(ctx context.Context, cache Cache, dir, config string) (*Alertmanager, error) {
	if _, err := InstallAlertmanager(ctx, cache); err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	process, err := Launch(Spec{
		Name: "alertmanager", Path: alertmanagerProgram, Dir: dir, Log: filepath.Join(dir, "alertmanager.log"),
		Args: []string{
			"--config.file=" + config, "--storage.path=" + filepath.Join(dir, "alertmanager"), "--web.listen-address=" + addr,
			"--cluster.listen-address=",
		},
	})
	if err != nil {
		return nil, err
	}
	return &Alertmanager{Address: addr, process: process}, awaitReady(ctx, process, "http://"+addr+"/-/ready")
}

// Stop ends Alertmanager.
func (a *Alertmanager) Stop() { _ = a.process.Stop(5 * time.Second) }

// LogTail returns the last lines of its log.
func (a *Alertmanager) LogTail(lines int) string { return a.process.LogTail(lines) }
