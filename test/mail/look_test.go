package mail_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/rotad/rotad/templates"
)

// pane is a mail program that shows one mail after another.
type pane struct {
	t       *testing.T
	browser context.Context

	mu    sync.Mutex
	asked []string // addresses that a mail wanted to load, and what the browser complains about
}

// TestEveryMailCanBeRead opens every mail of the preview where people read it: it fits, asks nobody for anything, and its
// text stands out from what is behind it.
func TestEveryMailCanBeRead(t *testing.T) {
	t.Parallel()
	var files []string
	for _, language := range templates.Languages() {
		written, err := filepath.Glob(filepath.Join(preview(t, language), "*.html"))
		must(t, err)
		if len(written) == 0 {
			t.Fatalf("there is no mail in %s to look at", language)
		}
		files = append(files, written...)
	}
	p := openPane(t)
	inks := map[string]bool{}
	for _, file := range files {
		for _, width := range []int64{320, 800} {
			for _, scheme := range []string{"light", "dark"} {
				name := fmt.Sprintf("%s-%s-%d-%s", languageOf(t, file), strings.TrimSuffix(filepath.Base(file), ".html"), width, scheme)
				colour, complaints := p.look(file, width, scheme)
				for _, text := range complaints {
					t.Errorf("%s: %s", name, text)
				}
				inks[scheme+" "+colour] = true
				p.shoot(name, width)
			}
		}
	}
	if len(inks) != 2 {
		t.Errorf("the pages are coloured %v, want one colour by day and one by night", inks)
	}
	t.Logf("%d mails, each at two widths by day and by night", len(files))
}

// languageOf is what the mail itself says, as programs that read aloud take it.
func languageOf(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	must(t, err)
	_, rest, _ := strings.Cut(string(content), `<html lang="`)
	tag, _, _ := strings.Cut(rest, `"`)
	return tag
}

// TestALookSeesWhatIsWrong: an onlooker that sees nothing would praise everything.
func TestALookSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := openPane(t)
	file := filepath.Join(t.TempDir(), "wrong.html")
	for want, body := range map[string]string{
		"wide":    `<div style="width:1000px">words</div>`,
		"read":    `<p style="color:#999">words</p>`,
		"asks":    `<img src="http://127.0.0.1:9/pixel.png">`,
		"command": `<p class="code">rotad rotate billing-api --reason</p>`,
	} {
		head := `<!DOCTYPE html><meta name="viewport" content="width=device-width">`
		must(t, os.WriteFile(file, []byte(head+body+strings.Repeat("<p>words</p>", 5)), 0o600))
		_, complaints := p.look(file, 320, "light")
		if text := strings.Join(complaints, "\n"); !strings.Contains(text, want) || len(complaints) != 1 {
			t.Errorf("%s: the complaints are %q", want, text)
		}
	}
}

// openPane starts a browser, which ends with the test.
func openPane(t *testing.T) *pane {
	t.Helper()
	path, err := shared.Cache.Chromium(t.Context())
	must(t, err)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WSURLReadTimeout(time.Minute))
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
	p := &pane{t: t, browser: browser}
	chromedp.ListenTarget(browser, p.listen)
	must(t, chromedp.Run(browser)) // the browser lives as long as the context of this call
	p.do(network.Enable(), log.Enable())
	return p
}

func (p *pane) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file://") || !strings.HasSuffix(e.Request.URL, ".html") {
			text = "asks for " + e.Request.URL
		}
	case *log.EventEntryAdded:
		text = e.Entry.Text
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if text != "" {
		p.asked = append(p.asked, text)
	}
}

// wants returns what was asked for since the last time.
func (p *pane) wants() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

func (p *pane) do(actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.browser, time.Minute)
	defer cancel()
	must(p.t, chromedp.Run(ctx, actions...))
}

// looks is what is measured of a mail.
type looks struct {
	Scroll, Screen int64
	Texts          int      // pieces of text that were measured
	Faint          []string // those that do not stand out
	Page           string   // the colour behind everything
	Spill          []string // what reaches beyond the screen
	Broken         []string // words of commands that are broken although they would fit
}

// look opens a mail and measures it. It returns the colour of the page, and what is wrong.
func (p *pane) look(file string, width int64, scheme string) (colour string, complaints []string) {
	p.t.Helper()
	var seen looks
	p.do(
		emulation.SetDeviceMetricsOverride(width, 900, 1, width < 800),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.Navigate((&url.URL{Scheme: "file", Path: file}).String()),
		chromedp.Evaluate(measure, &seen),
	)
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	if seen.Scroll > width || seen.Screen != width || len(seen.Spill) > 0 {
		complain("%d pixels wide on a screen of %d (shown as %d): %q", seen.Scroll, width, seen.Screen, seen.Spill)
	}
	if seen.Texts < 5 || len(seen.Faint) > 0 {
		complain("of %d texts these are hard to read: %q", seen.Texts, seen.Faint)
	}
	if len(seen.Broken) > 0 {
		complain("a command is broken within %q", seen.Broken)
	}
	if asked := p.wants(); len(asked) > 0 {
		complain("it %q", asked)
	}
	return seen.Page, complaints
}

// measure compares each text with what is behind it (WCAG 2.2, 1.4.3), and looks for what is too wide.
const measure = `(() => {
  const parse = (c) => c.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor);
      if (c.length < 4 || c[3] > 0.99) return c;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  };
  const faint = new Set(), spill = new Set();
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || !node.offsetParent) continue;
    texts++;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.add(node.tagName + " " + ratio.toFixed(2) + " " + text.data.trim().slice(0, 40));
    const range = document.createRange();
    range.selectNodeContents(text);
    if (range.getBoundingClientRect().right > document.documentElement.clientWidth) spill.add(text.data.trim().slice(0, 40));
  }
  const broken = [...document.querySelectorAll(".code")].flatMap((code) => {
    const words = [...code.querySelectorAll("span")];
    if (words.map((w) => w.textContent).join(" ") !== code.textContent) return [code.textContent];
    return words.filter((w) => w.offsetHeight > 24 && w.textContent.length <= 20).map((w) => w.textContent);
  });
  return {
    Broken: broken, Scroll: document.documentElement.scrollWidth, Screen: innerWidth, Texts: texts, Faint: [...faint], Spill: [...spill],
    Page: getComputedStyle(document.body).backgroundColor,
  };
})()`

// shoot keeps a picture of the whole mail, where pictures are wanted.
func (p *pane) shoot(name string, width int64) {
	p.t.Helper()
	dir := os.Getenv("ROTAD_SHOTS")
	if dir == "" {
		return
	}
	var height int64
	p.do(chromedp.Evaluate(`document.documentElement.scrollHeight`, &height))
	var picture []byte
	p.do(
		emulation.SetDeviceMetricsOverride(width, height, 1, false),
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			picture, err = page.CaptureScreenshot().Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Target))
			return err
		}),
	)
	must(p.t, os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644))
}
