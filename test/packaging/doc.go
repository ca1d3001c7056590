// Package packaging proves what rotad is delivered in, without a registry, a service manager or a trace on the machine.
//
//	a tagged commit ──► "make release", twice ──► the same checksums ──► what is in them
//	                                   └──► deb, rpm ──► this machine's root below an overlay in memory:
//	                                                      install, run, upgrade, downgrade, remove, purge
//
//	Dockerfile ──► hadolint
//	           ──► buildah, twice ──► the same digest, and the binary of the release ──┐
//	"make image-root" and the COPY lines of the last stage ──► a root on disk ─────────┴─► mounted read-only, chroot as
//	                                                                                       the image's user
//
//	deploy/systemd/rotad.service ──► systemd-analyze verify: silent; systemd-analyze security: exposure below 2.0
//	deploy/compose.yaml ──► the library that docker compose reads it with; its parts by rotad and promtool
//
// Root is needed: the tests mount and change the user.
package packaging
