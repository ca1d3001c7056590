package power_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"time"

	"github.com/rotad/rotad/test/power"
	"github.com/rotad/rotad/test/servers"
)

// onTmpfs puts the state on a small file system of the kernel, and fills that with something else.
func (c *fulls) onTmpfs(m *machine, random *rand.Rand) (err error) {
	volume, dir := m.disk.Now(), m.Path("state")
	m.eject()
	asked := m.durable
	m.durable = nil // what it would keep after a cut is not known of this one
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m,mode=700"); err != nil {
		return fmt.Errorf("mounting a tmpfs: %w", err)
	}
	if volume.Has(stateName) {
		err = volume.Export(stateName, dir+"/"+stateName)
	}
	if err == nil {
		err = c.fillTmpfs(m, dir, random)
	}
	back := power.NewVolume()
	if _, missing := os.Stat(dir + "/" + stateName); missing == nil {
		err = errors.Join(err, back.Import(stateName, dir+"/"+stateName))
	}
	err = errors.Join(err, syscall.Unmount(dir, 0))
	m.insert(back)
	m.durable = asked
	return err
}

func (c *fulls) fillTmpfs(m *machine, dir string, random *rand.Rand) error {
	since := m.logSize()
	m.start()
	servers.Pause(m.T.Context(), time.Duration(random.IntN(1500))*time.Millisecond)
	fillErr := fillUp(dir + "/ballast")
	c.mu.Lock()
	c.tmpfs++
	c.mu.Unlock()
	if err := m.ends(5 * time.Second); err == nil {
		return errors.Join(c.said(m, since), fillErr, os.Remove(dir+"/ballast"))
	}
	c.mu.Lock()
	c.wentOn++
	c.mu.Unlock()
	return errors.Join(m.process.Stop(time.Minute), fillErr, os.Remove(dir+"/ballast"))
}

// fillUp writes until there is no room.
func fillUp(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	block := make([]byte, power.Page)
	for err == nil {
		_, err = f.Write(block)
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
