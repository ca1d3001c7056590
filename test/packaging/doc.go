// Package packaging proves what rotad is delivered in: the container image and the systemd unit.
//
//	Dockerfile, last stage ──► COPY lines ──► a root on disk ──► bind mount, read-only ──► chroot as the image's user
//	"make image-root"      ──► the files they copy                                         └─► ENTRYPOINT with arguments
//
//	deploy/systemd/rotad.service ──► systemd-analyze verify: silent; systemd-analyze security: exposure below 2.0
//
// No container engine is needed, but root is: the tests mount and change the user.
package packaging
