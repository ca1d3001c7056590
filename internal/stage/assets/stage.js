// The page asks for the scene a few times in a second and draws what has changed. It keeps nothing that the play does
// not know, beside what the person in front of it has chosen.
import { el, set, sync, count, millis, Times, Scale } from "./draw.js";
import { drawBoard } from "./board.js";
import { drawDetail, drawMails, drawCalendar, drawStory, drawFeed } from "./panels.js";

const $ = (id) => document.getElementById(id);
const every = 250;
let selected = "";
let misses = 0;
let over = false;

/** choose makes one client the subject of buttons and details. */
function choose(id) {
  selected = id;
  if (last) draw(last);
}

let last = null;

async function ask() {
  try {
    const answer = await fetch("/scene", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    last = await answer.json();
    misses = 0;
    over = false;
    draw(last);
  } catch {
    misses++;
    if (misses > 3) end();
  }
  setTimeout(ask, misses > 3 ? 2000 : every);
}

function end() {
  if (!over) {
    over = true;
    $("over").textContent = "The demo has ended. This is how it stood; rotad demo begins another one.";
  }
  $("over").hidden = false;
  for (const button of document.querySelectorAll("button.push, #pause")) button.disabled = true;
}

function draw(scene) {
  const view = {
    scene, times: new Times(scene.zone), scale: new Scale(millis(scene.begin), millis(scene.now)), now: millis(scene.now), choose,
  };
  if (!scene.clients.some((c) => c.id === selected) && scene.clients.length) selected = scene.clients[0].id;
  view.client = scene.clients.find((c) => c.id === selected);
  $("over").hidden = true;
  drawTop(view);
  drawBoard(view);
  drawButtons(view);
  drawStory(view);
  drawDetail(view);
  drawMails(view);
  drawCalendar(view);
  drawFeed(view);
}

function drawTop({ scene, times, now }) {
  set($("date"), times.moment(now));
  const day = Math.floor((now - millis(scene.begin)) / 86400000);
  set($("day"), `day ${day}, at ${scene.speed} per second${scene.paused ? ", paused" : ""}`);
  $("pause").hidden = scene.once;
  $("pause").disabled = false;
  $("pause").setAttribute("aria-pressed", String(scene.paused));
  set($("pause"), scene.paused ? "Go on" : "Pause");
  const c = scene.counts;
  const figures = [
    ["logins", count(c.logins), ""], ["refused", count(c.refused), ""], ["rotations", count(c.rotations), ""],
    ["mails", count(c.mails) + (c.waiting ? ` +${c.waiting} waiting` : ""), ""], ["violations", count(c.violations), c.violations ? "bad" : "good"],
  ];
  sync($("counts"), figures, (f) => f[0], (f) => {
    const box = el("div");
    box.append(el("dt", "", f[0]), el("dd"));
    return box;
  }, (box, f) => {
    set(box.lastChild, f[1]);
    box.lastChild.className = f[2];
  });
  sync($("world"), scene.world, (p) => p.name, () => el("li"), (li, p) => {
    set(li, `${p.name} ${p.state}`);
    li.className = p.good ? "good" : "bad";
  });
}

function drawButtons({ scene }) {
  const list = $("client");
  sync(list, scene.clients, (c) => c.id, (c) => {
    const option = el("option", "", c.id);
    option.value = c.id;
    return option;
  }, () => {});
  if (list.value !== selected) list.value = selected;
  sync($("buttons"), scene.buttons, (b) => b.act, (b) => {
    const button = el("button", "push");
    button.type = "button";
    button.append(el("b", "", b.label), el("span", "", b.about));
    button.addEventListener("click", () => act(b.act));
    return button;
  }, (button, b) => {
    button.disabled = false;
    button.classList.toggle("on", b.on);
    set(button.lastChild, b.on ? under(b.act) : b.about);
  });
}

/** under says what a button does while what it breaks is broken. */
function under(name) {
  switch (name) {
    case "kill":
      return "it is started again in a moment";
    case "hand":
      return "rotad has not sorted it out yet";
  }
  return "press again to mend it";
}

async function act(name) {
  const said = $("said");
  try {
    const answer = await fetch("/do", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ act: name, client: selected }),
    });
    const reply = await answer.json();
    said.textContent = reply.said;
    said.classList.toggle("no", !answer.ok);
  } catch {
    said.textContent = "The demo does not answer.";
    said.classList.add("no");
  }
}

$("client").addEventListener("change", (event) => choose(event.target.value));
$("pause").addEventListener("click", () => act("pause"));
ask();
