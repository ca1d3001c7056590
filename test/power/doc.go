// Package power cuts the power under rotad's state file, and fills its disk.
//
//	rotad run ──► FUSE ──► Disk: a log of every write, truncate, fsync, link, rename, unlink
//	    │                    │
//	    │                    ├── what was fsynced survives a cut
//	    │                    ├── of what was not, any subset does: sectors of 512 bytes, pages of 4 KiB, sizes, names
//	    │                    └── full: a write ends with ENOSPC, in its middle if need be
//	    ▼                    ▼
//	Vault, providers     Volume: the disk after the cut ──► it opens and holds everything that was acknowledged, or it is
//	go on living                                            refused with words that say what to do
//
// An image is legal if a disk that honours fsync may leave it: a write, a size or a name that an fsync covered is there,
// everything since is there or not, each piece for itself. Pieces of one sector keep their order. The fsync of a file
// says nothing about its names; that of the directory does. Beyond the law are disks that lie: they lose what was
// fsynced, or change it.
package power
