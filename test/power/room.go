package power

import "syscall"

// trip lets the disk be full at a chosen write.
type trip struct {
	armed  bool
	writes int // so many pass first
	bytes  int // then so many bytes of one; the rest finds no room, nor does anything after
}

// Limit makes the disk so large; 0 = without a limit.
func (d *Disk) Limit(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = bytes
}

// FullAfter lets so many writes pass, then so many bytes of one more, and then the disk is full until MakeRoom.
func (d *Disk) FullAfter(writes, bytes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trip = trip{armed: true, writes: writes, bytes: bytes}
}

// MakeRoom ends FullAfter and Limit.
func (d *Disk) MakeRoom() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trip, d.capacity = trip{}, 0
}

// room returns how many bytes of a write find room; the lock is held.
func (d *Disk) room(id uint64, at int64, n int) (int, syscall.Errno) {
	fits := min(n, d.fits(id, at, n))
	if d.trip.armed {
		if d.trip.writes > 0 {
			d.trip.writes--
		} else {
			fits, d.trip.bytes = min(fits, d.trip.bytes), 0
		}
	}
	if fits == 0 && n > 0 {
		return 0, syscall.ENOSPC
	}
	return fits, 0
}

// fits returns how much of a write the limit leaves room for. Pages that are there already need none.
func (d *Disk) fits(id uint64, at int64, n int) int {
	if d.capacity == 0 {
		return n
	}
	free := d.capacity - d.now.Used()
	for done := 0; done < n; {
		if d.now.files[id].pages[(at+int64(done))/Page] == nil {
			if free -= Page; free < 0 {
				return done
			}
		}
		done += int(Page - (at+int64(done))%Page)
	}
	return n
}

// free returns the size of the disk and how much of it is free, in bytes; the lock is held.
func (d *Disk) free() (size, free int64) {
	const large = 1 << 40
	used := d.now.Used()
	switch {
	case d.trip.armed && d.trip.writes == 0:
		return used, 0
	case d.capacity != 0:
		return d.capacity, max(0, d.capacity-used)
	}
	return large, large - used
}
