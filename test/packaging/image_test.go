package packaging_test

import (
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// assemble builds the root of the image: "make image-root" in place of the build stage, then the COPY lines of the last.
func assemble(t *testing.T, img image) (root string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test mounts and changes the user: run it as root")
	}
	out, root := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "root")
	run(t, exec.CommandContext(t.Context(), "make", "-C", "../..", "image-root", "OUT="+out))
	for _, c := range img.copies {
		if c.from == "" || !strings.HasPrefix(c.src, "/out/") {
			t.Fatalf("COPY of %s: the root holds only what the build stage made in /out", c.src)
		}
		copyTree(t, filepath.Join(out, strings.TrimPrefix(c.src, "/out/")), filepath.Join(root, c.dst), c.chown)
	}
	return root
}

// copyTree copies the contents of a directory, as COPY does: owner root unless chown says otherwise.
func copyTree(t *testing.T, src, dst, chown string) {
	t.Helper()
	uid, gid := ids(t, chown)
	err := filepath.WalkDir(src, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		if err := copyOne(path, filepath.Join(dst, rel), entry); err != nil {
			return err
		}
		return os.Lchown(filepath.Join(dst, rel), uid, gid)
	})
	if err != nil {
		t.Fatalf("copying %s: %v", src, err)
	}
}

func copyOne(src, dst string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	if entry.IsDir() {
		if err := os.MkdirAll(dst, 0o755); err != nil {
			return err
		}
		return os.Chmod(dst, info.Mode().Perm())
	}
	data, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	return os.WriteFile(dst, data, info.Mode().Perm())
}

func ids(t *testing.T, owner string) (uid, gid int) {
	t.Helper()
	if owner == "" {
		return 0, 0
	}
	left, right, _ := strings.Cut(owner, ":")
	uid, err := strconv.Atoi(left)
	if err != nil {
		t.Fatal(err)
	}
	gid, err = strconv.Atoi(right)
	if err != nil {
		t.Fatal(err)
	}
	return uid, gid
}

// inside is the command line that runs a program in the image the way a careful container engine does: in a mount
// namespace of its own, on a read-only root, with the volume and a tmpfs as the only places to write, as the image's
// user, with the image's environment and no other.
func inside(t *testing.T, img image, root, volume string, args ...string) *exec.Cmd {
	t.Helper()
	const script = `
mount --bind "$ROOT" "$ROOT"
mount --bind "$VOLUME" "$ROOT/var/lib/rotad"
mount -t tmpfs -o mode=0750,uid=65532,gid=65532 tmpfs "$ROOT/run/rotad"
mount -o remount,bind,ro "$ROOT"
if touch "$ROOT/probe" 2>/dev/null; then echo "the root is writable" >&2; exit 99; fi
exec env -i "$IMAGE_ENV" "$(command -v chroot)" --userspec="$IMAGE_USER" "$ROOT" "$@"`
	cmd := exec.CommandContext(t.Context(), "unshare", append([]string{"--mount", "sh", "-euc", script, "sh"}, args...)...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "ROOT=" + root, "VOLUME=" + volume,
		"IMAGE_ENV=" + strings.Join(img.env, " "), "IMAGE_USER=" + img.user,
	}
	return cmd
}

func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

// volume is a state directory as an engine makes one from the image's: same owner, same mode.
func volume(t *testing.T, root string) string {
	t.Helper()
	info, err := os.Stat(filepath.Join(root, "var/lib/rotad"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "volume")
	if err := os.Mkdir(dir, info.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 65532, 65532); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestImageRunsReadOnlyAsItsUser(t *testing.T) {
	img := readDockerfile(t, "../../Dockerfile")
	root := assemble(t, img)
	binary := filepath.Join(root, "rotad")

	t.Run("the binary is static", func(t *testing.T) {
		file, err := elf.Open(binary)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for _, p := range file.Progs {
			if p.Type == elf.PT_INTERP {
				t.Error("it asks for a dynamic loader, which the image does not have")
			}
		}
	})
	t.Run("certificate authorities are there", func(t *testing.T) {
		pem, err := os.ReadFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
		if err != nil || strings.Count(string(pem), "BEGIN CERTIFICATE") < 50 {
			t.Errorf("reading the authorities: %v, %d certificates", err, strings.Count(string(pem), "BEGIN CERTIFICATE"))
		}
	})
	t.Run("it says its version", func(t *testing.T) {
		if out := run(t, inside(t, img, root, volume(t, root), append(img.entrypoint, "version")...)); !strings.Contains(out, "go1.") {
			t.Errorf("version printed %q, want the Go version in it", out)
		}
	})
	t.Run("it knows time zones without files", func(t *testing.T) {
		state := volume(t, root)
		writeConfig(t, state)
		args := append(img.entrypoint, "check", "--syntax-only", "--config", "/var/lib/rotad/config.yaml")
		run(t, inside(t, img, root, state, args...))
	})
	t.Run("the whole daemon plays its demo in it", func(t *testing.T) {
		args := append(img.entrypoint, "demo", "--once", "--json", "--dir", "/var/lib/rotad/demo")
		out := run(t, inside(t, img, root, volume(t, root), args...))
		if !strings.Contains(out, `"event":"summary"`) {
			t.Errorf("the demo ended without a summary:\n%s", out)
		}
	})
}

// writeConfig writes the smallest configuration that names a time zone.
func writeConfig(t *testing.T, dir string) {
	t.Helper()
	const config = `vault: {address: "https://127.0.0.1:8200", mount: secret, auth: {method: token, token_file: /var/lib/rotad/token}}
smtp: {host: 127.0.0.1, port: 25, tls: none, from: rotad@example.com}
admins: {email: [admins@example.com]}
owners: {team: {email: [team@example.com], timezone: Europe/Berlin}}
policies: {default: {window: {cron: "0 9 * * MON-THU", duration: 6h, timezone: America/New_York}}}
providers: {portal: {kind: manual}}
clients: [{id: one, provider: portal, ref: {client_id: one}, owner: team, policy: default, vault: {path: apps/one}}]
`
	for name, text := range map[string]string{"config.yaml": config, "token": "t"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, 65532, 65532); err != nil {
			t.Fatal(err)
		}
	}
}
