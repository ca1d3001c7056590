package servers

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

// KeycloakVersion is the release that the tests run against.
const KeycloakVersion = "26.5.0"

const keycloakAdmin = "admin"

// Keycloak is a running Keycloak with the feature client-secret-rotation and an in-memory database.
type Keycloak struct {
	URL     string // http://127.0.0.1:port
	process *Process
	health  string
	token   adminToken
	realms  sync.Mutex // held while a realm is created
}

// InstallKeycloak returns the directory of an unpacked, built Keycloak.
func InstallKeycloak(ctx context.Context, cache Cache) (string, error) {
	return cache.Once(ctx, "keycloak-"+KeycloakVersion, func(ctx context.Context, dir string) error {
		err := run(ctx, dir, "mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy",
			"-Dartifact=org.keycloak:keycloak-quarkus-dist:"+KeycloakVersion+":zip", "-DoutputDirectory="+dir)
		if err != nil {
			return err
		}
		archive := filepath.Join(dir, "keycloak-quarkus-dist-"+KeycloakVersion+".zip")
		if err := unzip(archive, dir); err != nil {
			return err
		}
		if err := os.Remove(archive); err != nil {
			return fmt.Errorf("removing the archive: %w", err)
		}
		// Built once here, so that starts are quicker and parallel runs never write to the shared directory.
		return run(ctx, dir, "bash", keycloakHome(dir)+"/bin/kc.sh", "build",
			"--db=dev-mem", "--features=client-secret-rotation", "--health-enabled=true")
	})
}

func keycloakHome(dir string) string { return filepath.Join(dir, "keycloak-"+KeycloakVersion) }

// StartKeycloak starts Keycloak and waits until it is ready.
func StartKeycloak(ctx context.Context, cache Cache, dir string) (*Keycloak, error) {
	install, err := InstallKeycloak(ctx, cache)
	if err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	management, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	process, err := Launch(Spec{
		Name: "keycloak", Path: "java", Args: keycloakArgs(keycloakHome(install), dir, port, management), Dir: dir,
		Env: append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME="+keycloakAdmin, "KC_BOOTSTRAP_ADMIN_PASSWORD="+keycloakAdmin),
		Log: filepath.Join(dir, "keycloak.log"),
	})
	if err != nil {
		return nil, err
	}
	k := &Keycloak{
		URL: fmt.Sprintf("http://127.0.0.1:%d", port), process: process,
		health: fmt.Sprintf("http://127.0.0.1:%d/health/ready", management),
	}
	if err := Until(ctx, keycloakStart, 200*time.Millisecond, k.ready); err != nil {
		tail := process.LogTail(10)
		process.Kill()
		return nil, fmt.Errorf("waiting for keycloak: %w\n%s", err, tail)
	}
	return k, nil
}

// keycloakArgs starts Java without the shell script, which would stand between us and the process that has to die.
func keycloakArgs(home, dir string, port, management int) []string {
	return []string{
		"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xms64m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError",
		"-Djava.util.concurrent.ForkJoinPool.common.threadFactory=" +
			"io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
		"-Dfile.encoding=UTF-8", "-Djava.io.tmpdir=" + dir,
		"--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
		"--add-opens=java.base/java.security=ALL-UNNAMED",
		"-Dkc.home.dir=" + home, "-Djboss.server.config.dir=" + home + "/conf",
		"-Djava.util.logging.manager=org.jboss.logmanager.LogManager", "-Dpicocli.disable.closures=true",
		"-cp", home + "/lib/quarkus-run.jar", "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
		"start", "--optimized", "--cache=local", "--http-enabled=true", "--hostname-strict=false",
		"--http-host=127.0.0.1", fmt.Sprintf("--http-port=%d", port), fmt.Sprintf("--http-management-port=%d", management),
	}
}

// keycloakStart is how long Keycloak may take: half a minute where it has a core, and minutes where others want it too.
const keycloakStart = 10 * time.Minute

func (k *Keycloak) ready(ctx context.Context) error {
	if err := k.process.ended(); err != nil {
		return err
	}
	return do(ctx, call{method: http.MethodGet, url: k.health})
}

// Stop ends Keycloak. Its data lives in memory only, so nothing has to be waited for.
func (k *Keycloak) Stop() { k.process.Kill() }

// CPU returns how long Keycloak has had a core.
func (k *Keycloak) CPU() time.Duration { return k.process.CPU() }

// LogTail returns the last lines of its log.
func (k *Keycloak) LogTail(lines int) string { return k.process.LogTail(lines) }

func unzip(archive, dir string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("opening %s: %w", archive, err)
	}
	defer func() { _ = r.Close() }()
	for _, f := range r.File {
		target := filepath.Join(dir, f.Name)
		if !strings.HasPrefix(target, dir+string(os.PathSeparator)) {
			return fmt.Errorf("unpacking %s: it leaves the directory", f.Name)
		}
		if err := unzipOne(f, target); err != nil {
			return fmt.Errorf("unpacking %s: %w", f.Name, err)
		}
	}
	return nil
}

func unzipOne(f *zip.File, target string) error {
	if f.FileInfo().IsDir() {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, f.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
