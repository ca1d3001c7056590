package page_test

import (
	"strings"
	"testing"
	"time"
)

// TestPage is one visit: what a person sees and does there from the first second to the end of the demo.
func TestPage(t *testing.T) {
	v := visit(t)
	v.open(1440, 900, "light")
	v.await(`document.querySelectorAll(".client").length === 8`, "every client has its line")
	v.await(`document.querySelectorAll(".bar.v0").length >= 16`, "both services of each client log in")
	v.await(`document.querySelectorAll(".push").length === 6`, "the buttons are there")
	t.Run("keyboard", func(t *testing.T) { v.on(t).keyboard() })
	t.Run("mail", func(t *testing.T) { v.on(t).mail() })
	t.Run("calendar", func(t *testing.T) { v.on(t).calendar() })
	t.Run("break", func(t *testing.T) { v.on(t).breaks() })
	for _, look := range []struct {
		name          string
		width, height int64
		scheme        string
	}{
		{"wide", 1440, 900, "light"},
		{"dark", 1440, 900, "dark"},
		{"tablet", 834, 1112, "light"},
		{"phone", 390, 844, "light"},
		{"phone-dark", 390, 844, "dark"},
		{"narrow", 320, 640, "light"},
	} {
		t.Run(look.name, func(t *testing.T) {
			v.on(t).open(look.width, look.height, look.scheme)
			v.await(`document.querySelectorAll(".bar").length >= 16 && document.querySelectorAll("#story .chapter").length > 0`, "it is drawn")
			v.fits()
			v.legible()
			v.shoot(look.name)
		})
	}
	t.Run("end", func(t *testing.T) { v.on(t).ends() })
	if problems := v.complaints(); len(problems) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(problems, "\n"))
	}
}

// keyboard goes from the top of the page to a rotation without a pointer.
func (v *visitor) keyboard() {
	v.t.Helper()
	v.press("Tab")
	v.is(`document.activeElement.className`, "skip", "the first stop is the way to the buttons")
	v.press("Enter")
	v.press("Tab")
	v.is(`document.activeElement.id`, "client", "from there the next stop is the choice of a client")
	v.typed("nightly")
	v.await(`document.querySelector(".client.chosen .name").textContent.includes("nightly-batch")`, "the client is chosen")
	v.press("Tab")
	v.is(`document.activeElement.dataset.key`, "rotate", "then come the buttons")
	v.is(`getComputedStyle(document.activeElement).outlineStyle`, "solid", "what has the focus is seen to have it")
	v.press("Enter")
	v.await(`document.getElementById("said").textContent.includes("nightly-batch is going to be rotated")`, "rotad says that it will")
	v.await(`[...document.querySelectorAll(".client.chosen .track")].every((t) => t.querySelector(".bar.v1"))`, "both services use secret B")
	v.await(`document.querySelector("#versions .current").previousSibling.textContent === "B"`, "Vault hands out secret B")
	v.is(`document.activeElement.dataset.key`, "rotate", "while the page draws, the focus stays")
}

// mail looks at a mail as its reader does, and at what shuts it in.
func (v *visitor) mail() {
	v.t.Helper()
	v.await(`document.querySelectorAll(".mail").length > 0`, "a mail has come")
	v.run(`document.querySelector("#letters .mail").click()`)
	v.await(`!document.getElementById("frame").hidden`, "it is open")
	v.is(`document.getElementById("frame").getAttribute("sandbox")`, "", "its frame may do nothing")
	v.is(`String(document.getElementById("frame").contentDocument)`, "null", "it has an origin of its own")
	v.is(`document.getElementById("follow").checked`, false, "who has chosen a mail keeps it open")
	at := v.framed()
	if !strings.HasPrefix(at, v.url+"mail/") {
		v.t.Fatalf("the frame shows %s", at)
	}
	if text := v.text(strings.TrimPrefix(at, strings.TrimSuffix(v.url, "/"))); !strings.Contains(text, "This mail contains no secret.") {
		v.t.Errorf("the mail reads %q", text)
	}
}

func (v *visitor) calendar() {
	v.t.Helper()
	v.await(`document.querySelectorAll("#entries li").length >= 3`, "events stand in the calendar")
	v.is(`new Set([...document.querySelectorAll("#entries .number")].map((n) => n.textContent)).size === document.querySelectorAll("#entries li").length`,
		true, "each client has one")
	v.await(`document.querySelectorAll(".cell.full").length > 0`, "they stand on their days")
	v.await(`/moved/.test([...document.querySelectorAll("#entries .moved")].map((m) => m.textContent).join())`, "they say whether they have moved")
}

// breaks breaks Vault, and reads what rotad did about it.
func (v *visitor) breaks() {
	v.t.Helper()
	v.run(`(() => { const s = document.getElementById("client"); s.value = "catalogue"; s.dispatchEvent(new Event("change")); })()`)
	v.run(`document.querySelector('[data-key="vault"]').focus()`)
	v.press(" ")
	v.await(`document.querySelector("#story .chapter") !== null`, "a chapter begins")
	v.await(`[...document.querySelectorAll("#story b")].some((b) => b.textContent === "broken")`, "it is broken")
	v.await(`document.querySelector("#story .chapter.done .verdict") !== null`, "rotad is done with it")
	v.is(`document.querySelector("#story .chapter .verdict").textContent.includes("none was refused")`, true, "nobody was cut off")
	v.is(`[...document.querySelectorAll("#world li")].every((p) => p.className === "good")`, true, "everything works again")
	v.is(`document.querySelector("#counts .good") !== null`, true, "nothing was violated")
}

// ends lets the demo end while somebody looks.
func (v *visitor) ends() {
	v.t.Helper()
	if err := v.demo.Stop(30 * time.Second); err != nil {
		v.t.Error(err)
	}
	v.await(`!document.getElementById("over").hidden`, "the page says that the demo has ended")
	v.is(`[...document.querySelectorAll(".push")].every((b) => b.disabled)`, true, "no button promises anything")
}
