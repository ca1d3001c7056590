package page_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// patience is how long something may take to be seen.
const patience = 90 * time.Second

// visitor is a browser with the demo's page open.
type visitor struct {
	t       *testing.T
	browser context.Context
	url     string
	demo    *servers.Process

	mu   sync.Mutex
	said []string // what the browser complained about
}

// visit starts a demo and a browser. Both end with the test.
func visit(t *testing.T) *visitor {
	t.Helper()
	run, err := world.NewRun()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	v := &visitor{t: t}
	v.start(run.Binary(t))
	v.browse(run)
	return v
}

// browse starts a browser, which ends with the test.
func (v *visitor) browse(run *world.Run) {
	t := v.t
	t.Helper()
	path, err := run.Cache.Chromium(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WSURLReadTimeout(patience))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has none for root
	}
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	browser, leave := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(browser) // waits for the process
		leave()
		stop()
	})
	v.browser = browser
	chromedp.ListenTarget(browser, v.listen)
	if err := chromedp.Run(browser); err != nil { // the browser lives as long as the context of this call
		t.Fatal(err)
	}
	v.do(log.Enable(), runtime.Enable())
}

var address = regexp.MustCompile(`browser: +(http://\S+/)`)

// start starts a demo and reads the address of its page.
func (v *visitor) start(binary string) {
	v.t.Helper()
	dir := v.t.TempDir()
	printed := filepath.Join(dir, "printed")
	demo, err := servers.Launch(servers.Spec{
		Name: "rotad demo", Path: binary, Dir: dir, Log: printed,
		Args: []string{"demo", "--speed", "1d/s", "--page", "127.0.0.1:0", "--dir", filepath.Join(dir, "demo")},
	})
	if err != nil {
		v.t.Fatal(err)
	}
	v.demo = demo
	v.t.Cleanup(demo.Kill)
	err = v.until(func() bool {
		text, _ := os.ReadFile(printed)
		m := address.FindSubmatch(text)
		if m != nil {
			v.url = string(m[1])
		}
		return m != nil
	})
	if err != nil {
		v.t.Fatalf("the demo names no page: %v\n%s", err, demo.LogTail(20))
	}
}

var errNotYet = errors.New("it is not to be seen yet")

// until asks until it is so, for as long as there is patience.
func (v *visitor) until(so func() bool) error {
	return servers.Until(v.t.Context(), patience, 100*time.Millisecond, func(context.Context) error {
		if so() {
			return nil
		}
		return errNotYet
	})
}

// listen keeps errors and warnings of the browser: scripts that break, files that are missing, policies that are broken.
func (v *visitor) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			text = e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Error()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if text != "" {
		v.said = append(v.said, text)
	}
}

// complaints returns what the browser said while the demo ran. Afterwards nobody answers it, which it says too.
func (v *visitor) complaints() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var real []string
	for _, text := range v.said {
		if !strings.Contains(text, "ERR_CONNECTION_REFUSED") {
			real = append(real, text)
		}
	}
	return real
}

// on gives the visitor to a subtest.
func (v *visitor) on(t *testing.T) *visitor {
	v.t = t
	return v
}

func (v *visitor) do(actions ...chromedp.Action) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.browser, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		v.t.Fatal(err)
	}
}

// open opens the page on a screen, in a colour scheme.
func (v *visitor) open(width, height int64, scheme string) {
	v.t.Helper()
	v.do(
		emulation.SetDeviceMetricsOverride(width, height, 1, width < 800),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}),
		chromedp.Navigate(v.url),
	)
}

func (v *visitor) run(script string) {
	v.t.Helper()
	v.do(chromedp.Evaluate(script, nil))
}

// is compares what a script finds.
func (v *visitor) is(script string, want any, what string) {
	v.t.Helper()
	var got any
	v.do(chromedp.Evaluate(script, &got))
	if fmt.Sprint(got) != fmt.Sprint(want) {
		v.t.Errorf("not true: %s (%s is %v, want %v)", what, script, got, want)
	}
}

// await waits until a script finds something true.
func (v *visitor) await(script, what string) {
	v.t.Helper()
	var got bool
	err := v.until(func() bool {
		v.do(chromedp.Evaluate("Boolean("+script+")", &got))
		return got
	})
	if err != nil {
		v.shoot("failed")
		v.t.Fatalf("not seen: %s (%s): %v", what, script, err)
	}
}

// press presses one key; its name is that of a key, or the key itself.
func (v *visitor) press(name string) {
	v.t.Helper()
	keys := map[string]string{"Tab": kb.Tab, "Enter": kb.Enter}
	key, ok := keys[name]
	if !ok {
		key = name
	}
	v.do(chromedp.KeyEvent(key))
}

func (v *visitor) typed(text string) {
	v.t.Helper()
	v.do(chromedp.KeyEvent(text))
}

// framed returns the address that the frame of the mail has really loaded; where a policy forbids it, it is not that of a
// mail.
func (v *visitor) framed() (address string) {
	v.t.Helper()
	err := v.until(func() bool {
		v.do(chromedp.ActionFunc(func(ctx context.Context) error {
			tree, err := page.GetFrameTree().Do(ctx)
			if err != nil {
				return err
			}
			for _, child := range tree.ChildFrames {
				address = child.Frame.URL
				if child.Frame.UnreachableURL != "" {
					address = "an error instead of " + child.Frame.UnreachableURL
				}
			}
			return nil
		}))
		return address != ""
	})
	if err != nil {
		v.t.Errorf("the frame of the mail loads nothing: %v", err)
	}
	return address
}

// text returns what the page can read at one of its addresses.
func (v *visitor) text(path string) (text string) {
	v.t.Helper()
	v.do(chromedp.Evaluate(fmt.Sprintf(`fetch(%q).then((r) => r.text())`, path), &text,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return text
}

// fits finds what is wider than the screen, and what is too small for a finger.
func (v *visitor) fits() {
	v.t.Helper()
	v.is(`document.documentElement.scrollWidth <= document.documentElement.clientWidth`, true, "nothing is wider than the screen")
	v.is(`[...document.querySelectorAll(".board, .break, .feed")].every((c) => c.offsetWidth > 0.85 * document.documentElement.clientWidth)`,
		true, "what tells a story has the whole width")
	v.is(`[...document.querySelectorAll("button, select")].filter((b) => b.offsetParent && b.getBoundingClientRect().height < 24).length`,
		0, "whatever can be pressed is large enough")
}

// legible measures the contrast of every text that is shown (WCAG 2.2, 1.4.3).
func (v *visitor) legible() {
	v.t.Helper()
	var faint []string
	v.do(chromedp.Evaluate(contrast, &faint))
	for _, text := range faint {
		v.t.Errorf("hard to read: %s", text)
	}
}

const contrast = `(() => {
  const parse = (c) => c.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor);
      if (c.length < 4 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
  };
  const faint = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement, style = getComputedStyle(node);
    if (!text.data.trim() || !node.offsetParent && style.position !== "fixed" || style.visibility === "hidden") continue;
    const ink = parse(style.color);
    if (ink.length === 4 && ink[3] === 0) continue;
    const [a, b] = [light(ink), light(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.add(node.className + " " + node.tagName + ": " + ratio.toFixed(2) + " " + text.data.trim().slice(0, 40));
  }
  return [...faint];
})()`

// shoot keeps a picture of the whole page, where pictures are wanted.
func (v *visitor) shoot(name string) {
	v.t.Helper()
	dir := os.Getenv("ROTAD_SHOTS")
	if dir == "" {
		return
	}
	var size struct{ W, H int64 }
	v.do(chromedp.Evaluate(`({W: innerWidth, H: document.documentElement.scrollHeight})`, &size))
	var picture []byte
	v.do(emulation.SetDeviceMetricsOverride(size.W, size.H, 1, false), chromedp.Sleep(500*time.Millisecond),
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			picture, err = page.CaptureScreenshot().Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Target))
			return err
		}))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		v.t.Fatal(err)
	}
}
