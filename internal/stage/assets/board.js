// The board: a line per client, over ninety days.
import { el, set, sync, hue, millis, count, DAY } from "./draw.js";

const services = [
  ["prompt", "service that reads Vault for each login"],
  ["late", "service that keeps its secret for two days"],
];

export function drawBoard(view) {
  drawAxis(view);
  sync(document.getElementById("clients"), view.scene.clients, (c) => c.id, (c, i) => makeClient(c, i, view), (row, c) => drawClient(row, c, view));
}

function drawAxis({ scale, times }) {
  const weeks = [];
  const first = scale.from - (scale.from % DAY);
  for (let t = first; t <= scale.to; t += DAY) {
    if (new Date(t).getUTCDay() === 1 && scale.shows(t)) weeks.push(t);
  }
  const week = 7 / 90; // of the board: where the lines of the weeks begin
  document.getElementById("clients").style.setProperty("--week", ((((scale.at(weeks[0]) / 100) % week) / (1 - week)) * 100).toFixed(3) + "%");
  sync(document.getElementById("axis"), weeks, (t) => t, (t) => el("span", "tick", times.short(t)), (tick, t, i) => {
    scale.put(tick, t);
    tick.classList.toggle("minor", Math.round(t / (7 * DAY)) % 2 === 0);
    tick.classList.toggle("edge", scale.at(t) > 95);
  });
}

function makeClient(c, i, { choose }) {
  const row = el("article", "client");
  const info = el("div", "info");
  const name = el("button", "name");
  name.type = "button";
  name.append(el("i", "number", String(i + 1)), el("span", "", c.id));
  name.addEventListener("click", () => choose(c.id));
  const facts = el("p", "facts");
  facts.append(el("span", "phase"), el("span", "mode"));
  info.append(name, facts, el("p", "next"));
  const lane = el("div", "lane");
  lane.append(el("div", "bands"), track(0), track(1), el("div", "signs"), el("div", "now"));
  row.append(info, lane);
  return row;
}

function track(i) {
  const row = el("div", "track");
  row.dataset.about = services[i][1];
  return row;
}

function drawClient(row, c, view) {
  const [info, lane] = row.children;
  const [name, facts, next] = info.children;
  row.classList.toggle("chosen", view.client === c);
  name.setAttribute("aria-pressed", String(view.client === c));
  const [phase, mode] = facts.children;
  set(phase, c.hold ? "held" : c.phase);
  phase.className = "phase " + (c.hold ? "held" : c.phase);
  set(mode, c.kind ? c.mode + " at " + c.kind : c.mode);
  mode.title = c.means;
  set(next, c.hold ? c.hold.code + ": a person decides" : c.failing ? "tries again: " + c.failing : c.next || c.phase);
  const [bands, prompt, late, signs, now] = lane.children;
  drawBands(bands, c, view);
  drawRuns(prompt, c, "prompt", view);
  drawRuns(late, c, "late", view);
  drawSigns(signs, c, view);
  view.scale.put(now, view.now);
}

/** drawBands shades the time in which the old secret still works beside the new one. */
function drawBands(parent, c, { scale, now }) {
  const spans = c.spans.filter((s) => (s.phase === "overlap" || s.phase === "revoking") && (millis(s.to) || now) >= scale.from);
  sync(parent, spans, (s) => s.from, (s) => el("div", "span " + s.phase), (node, s) => scale.put(node, millis(s.from), millis(s.to) || now));
}

function drawRuns(parent, c, by, { scale }) {
  const runs = c.runs.filter((r) => r.by === by && millis(r.to) >= scale.from);
  sync(parent, runs, (r) => r.from + r.answer + r.label, () => el("div"), (bar, r) => {
    const from = millis(r.from), to = millis(r.to);
    bar.className = "bar " + (r.answer === "accepted" ? hue(r.label) : r.answer);
    scale.put(bar, from, to);
    bar.title = r.label ? `secret ${r.label}: ${count(r.logins)} logins ${r.answer}` : `${count(r.logins)} logins got no answer`;
    set(bar, r.answer === "accepted" && scale.at(to) - Math.max(0, scale.at(from)) > 2.2 ? r.label : "");
  });
}

const past = { promoted: "published", old_refused: "revoked", held: "held" };
const coming = { rotation: "rotation" };

function drawSigns(parent, c, view) {
  const { scale, now, times } = view;
  const signs = [];
  for (const m of c.marks) if (past[m.what]) signs.push({ at: millis(m.at), kind: past[m.what], text: m.text });
  for (const m of c.forecast) if (coming[m.what] && millis(m.at) > now) signs.push({ at: millis(m.at), kind: coming[m.what], text: "foreseen: rotation " + m.text });
  if (c.expires) signs.push({ at: millis(c.expires), kind: "expiry", text: "the secret expires" });
  const entry = view.scene.calendar.find((e) => e.client === c.id && !e.gone);
  if (entry) signs.push({ at: millis(entry.at), kind: "event", text: entry.summary });
  const shown = signs.filter((s) => scale.shows(s.at));
  sync(parent, shown, (s) => (s.kind === "event" ? "event" : s.kind + s.at), () => el("i"), (sign, s) => {
    sign.className = "sign " + s.kind;
    sign.title = times.moment(s.at) + ": " + s.text;
    scale.put(sign, s.at);
  });
}
