// The panels: what is known of one client, what was broken, the mails, the calendar.
import { el, set, sync, hue, count, millis, DAY } from "./draw.js";

const $ = (id) => document.getElementById(id);

export function drawDetail({ client, times, now }) {
  if (!client) return;
  for (const of of document.querySelectorAll(".of")) set(of, client.id);
  const newest = [...client.values].reverse();
  sync($("values"), newest, (v) => v.label, () => cells(4), (row, v) => {
    chip(row.children[0], v.label);
    set(row.children[1], count(v.accepted));
    set(row.children[2], count(v.refused));
    row.children[2].className = "num" + (v.refused ? " bad" : "");
    row.children[1].className = "num";
    set(row.children[3], v.last ? times.moment(millis(v.last)) : "not yet");
  });
  drawServices(client);
  set($("path"), client.path);
  sync($("versions"), client.versions, (v) => v.number, () => cells(4), (row, v) => {
    set(row.children[0], String(v.number));
    row.children[0].className = "num";
    chip(row.children[1], v.label);
    set(row.children[2], v.state);
    row.children[2].className = "state " + v.state;
    set(row.children[3], times.date(millis(v.at)) + ", " + v.by);
  });
  drawHold(client.hold);
  const ahead = client.forecast.filter((f) => millis(f.at) >= now).slice(0, 6);
  const shown = ahead.length ? ahead : [{ what: "none", text: client.hold ? "a person decides first" : "nothing within ninety days" }];
  sync($("forecast"), shown, (f) => f.what + f.at + f.text, (f) => {
    const li = el("li", f.what);
    li.append(el("span", "text", f.text), el("span", "when"), el("span", "far"));
    return li;
  }, (li, f) => {
    if (!f.at) return;
    set(li.children[1], times.moment(millis(f.at)));
    set(li.children[2], "in " + far(millis(f.at), now, times));
  });
}

/** drawHold says why a client waits for a person, and what that person types. */
function drawHold(hold) {
  const box = $("hold");
  box.hidden = !hold;
  const parts = hold ? [["b", "Waits for a person: " + hold.code], ["div", hold.detail], ...hold.commands.map((c) => ["code", c])] : [];
  sync(box, parts, (p) => p[1], (p) => el(p[0], "", p[1]), () => {});
}

/** drawServices says with which secret each of the two services logged in last. */
function drawServices(client) {
  const lasts = [["prompt", "Service that reads Vault for each login"], ["late", "Service that keeps its secret for two days"]].map(([by, text]) => {
    const runs = client.runs.filter((r) => r.by === by);
    return { by, text, run: runs[runs.length - 1] };
  });
  sync($("services"), lasts, (l) => l.by, () => {
    const li = el("li");
    li.append(el("span", "text"), el("span", "value"), el("span", "answer"));
    return li;
  }, (li, { text, run }) => {
    set(li.children[0], text);
    chip(li.children[1], run ? run.label : "");
    set(li.children[2], run ? (run.answer === "unanswered" ? "no answer" : run.answer) : "");
    li.children[2].className = "answer " + (run ? run.answer : "");
  });
}

function cells(n) {
  const row = el("tr");
  for (let i = 0; i < n; i++) row.append(el("td"));
  return row;
}

function chip(cell, label) {
  let node = cell.firstElementChild;
  if (!node) {
    node = el("i");
    cell.append(node);
  }
  node.className = label ? "letter " + hue(label) : "letter none";
  set(node, label || "?");
}

/** far says how far away a moment is, by the rule of templates.Days: days of the calendar, and hours below two days. */
function far(at, now, times) {
  const ms = at - now;
  if (ms < 2 * 3600000) return "less than two hours"; // the page lags a little
  if (ms < 2 * DAY) return Math.floor(ms / 3600000) + " hours";
  const midnight = (t) => {
    const [year, month, day] = times.parts(t);
    return Date.UTC(year, month - 1, day);
  };
  return (midnight(at) - midnight(now)) / DAY + " days";
}

export function drawStory({ scene, times }) {
  const parent = $("story");
  if (!scene.story.length) {
    sync(parent, [0], () => "none", () => el("p", "soft empty", "Nothing has been broken yet. Whatever you press, the services of the client go on logging in; the bars above show with which secret."), () => {});
    return;
  }
  sync(parent, scene.story, (c) => c.n, () => {
    const article = el("article", "chapter");
    article.append(el("h3"), el("p", "verdict"), el("ol", "lines"));
    return article;
  }, (article, c) => {
    const [title, verdict, lines] = article.children;
    set(title, `${c.title}: ${c.client}, ${times.moment(millis(c.begun))}`);
    article.classList.toggle("done", Boolean(c.ended));
    set(verdict, c.ended ? c.verdict : "Not over yet.");
    drawLines(lines, c.lines, times, false);
  });
}

function drawLines(parent, list, times, named) {
  sync(parent, list, (l, i) => l.at + l.what + l.client + l.text, (l) => {
    const li = el("li", l.tone);
    li.append(el("time", "", times.moment(millis(l.at))), el("b", "", l.what));
    if (named) li.append(el("span", "who", l.client));
    li.append(el("span", "text", l.text));
    return li;
  }, () => {});
}

export function drawFeed({ scene, times }) {
  drawLines($("feed"), scene.feed, times, true);
}

let open = 0;

export function drawMails({ scene, times }) {
  const newest = scene.mails[0];
  if (newest && ($("follow").checked || !open) && newest.n !== open) show(newest, times);
  sync($("letters"), scene.mails, (m) => m.n, (m) => {
    const li = el("li");
    const button = el("button", "mail " + m.kind);
    button.type = "button";
    const head = el("span", "to");
    head.append(el("span", "", m.to), el("time", "", times.date(millis(m.at))));
    button.append(head, el("span", "subject", m.subject));
    if (m.event) button.append(el("span", "ics", "with its calendar event"));
    button.addEventListener("click", () => {
      $("follow").checked = false;
      show(m, times);
      mark(m.n);
    });
    li.append(button);
    return li;
  }, () => {});
  mark(open);
}

function mark(n) {
  for (const li of $("letters").children) li.firstChild.setAttribute("aria-current", String(li.dataset.key === String(n)));
}

function show(m, times) {
  open = m.n;
  const frame = $("frame");
  frame.hidden = false;
  frame.src = "/mail/" + m.n;
  set($("letter"), `${m.subject}`);
  $("letter").dataset.meta = `to ${m.to}, ${times.moment(millis(m.at))}`;
}

export function drawCalendar({ scene, times, now }) {
  const numbers = new Map(scene.clients.map((c, i) => [c.id, i + 1]));
  const entries = scene.calendar.filter((e) => !e.gone).map((e) => ({ ...e, number: numbers.get(e.client), t: millis(e.at) }));
  const [year, month] = times.parts(now);
  const months = [0, 1, 2, 3].map((i) => [year + Math.floor((month - 1 + i) / 12), ((month - 1 + i) % 12) + 1]);
  sync($("months"), months, (m) => m.join("-"), ([y, m]) => makeMonth(y, m, times), (node, [y, m]) => fillMonth(node, y, m, entries, times, now));
  entries.sort((a, b) => a.t - b.t);
  sync($("entries"), entries, (e) => e.client, () => {
    const li = el("li");
    const text = el("div");
    text.append(el("b"), el("span", "what"), el("span", "moved soft"));
    li.append(el("i", "number"), text);
    return li;
  }, (li, e) => {
    set(li.firstChild, String(e.number));
    const [when, what, moved] = li.lastChild.children;
    set(when, times.moment(e.t));
    set(what, e.summary);
    set(moved, e.moved ? `moved ${e.moved === 1 ? "once" : e.moved + " times"}, last from ${times.date(millis(e.was))}` : "not moved yet");
  });
}

function makeMonth(y, m, times) {
  const node = el("div", "month");
  node.append(el("h3", "", times.month(Date.UTC(y, m - 1, 15))));
  const grid = el("div", "days");
  for (const day of "MTWTFSS") grid.append(el("span", "week", day));
  const blank = (new Date(Date.UTC(y, m - 1, 1)).getUTCDay() + 6) % 7;
  for (let i = 0; i < blank; i++) grid.append(el("span", "blank"));
  for (let d = 1; d <= new Date(Date.UTC(y, m, 0)).getUTCDate(); d++) {
    const cell = el("span", "cell");
    cell.append(el("span", "d", String(d)), el("span", "badges"));
    cell.dataset.day = String(d);
    grid.append(cell);
  }
  node.append(grid);
  return node;
}

function fillMonth(node, y, m, entries, times, now) {
  const [ty, tm, td] = times.parts(now);
  for (const cell of node.lastChild.children) {
    const d = Number(cell.dataset.day);
    if (!d) continue;
    cell.classList.toggle("today", ty === y && tm === m && td === d);
    const here = entries.filter((e) => {
      const [ey, em, ed] = times.parts(e.t);
      return ey === y && em === m && ed === d;
    });
    cell.classList.toggle("full", here.length > 0);
    sync(cell.lastChild, here, (e) => e.client, (e) => el("i", "number", String(e.number)), (i, e) => {
      i.title = e.summary;
    });
  }
}
