// What drawing needs: elements that are kept as long as they stand for the same thing, and times as people read them.

/** el makes an element with a class and a text. */
export function el(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** set changes a text only where it differs, so that nothing is read out or laid out twice. */
export function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** sync makes the children of a node stand for a list. A child with the same key is kept, and so is the focus in it. */
export function sync(parent, items, keyOf, make, update) {
  const there = new Map();
  for (const child of parent.children) there.set(child.dataset.key, child);
  let before = parent.firstElementChild;
  for (const [i, item] of items.entries()) {
    const key = String(keyOf(item, i));
    let child = there.get(key);
    if (child) {
      there.delete(key);
    } else {
      child = make(item, i);
      child.dataset.key = key;
    }
    update(child, item, i);
    if (child === before) before = before.nextElementSibling;
    else parent.insertBefore(child, before);
  }
  for (const child of there.values()) child.remove();
}

const formats = new Map();

function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }));
  return formats.get(key);
}

/** Times knows how to write moments of one zone. */
export class Times {
  constructor(zone) {
    this.zone = zone;
  }
  date(t) {
    return format(this.zone, { weekday: "short", day: "numeric", month: "short" }).format(t).replace(",", "");
  }
  time(t) {
    return format(this.zone, { hour: "2-digit", minute: "2-digit" }).format(t);
  }
  moment(t) {
    return this.date(t) + ", " + this.time(t);
  }
  short(t) {
    return format(this.zone, { day: "numeric", month: "short" }).format(t);
  }
  month(t) {
    return format(this.zone, { month: "long", year: "numeric" }).format(t);
  }
  /** parts returns year, month (1 to 12) and day. */
  parts(t) {
    const found = {};
    for (const part of format(this.zone, { year: "numeric", month: "numeric", day: "numeric" }).formatToParts(t)) {
      found[part.type] = Number(part.value);
    }
    return [found.year, found.month, found.day];
  }
}

export const DAY = 24 * 60 * 60 * 1000;

/** Scale turns moments into places on the board: ninety days, of which the last weeks lie ahead. */
export class Scale {
  constructor(begin, now) {
    this.days = 90;
    const past = 62 * DAY;
    this.from = Math.max(begin, now - past);
    this.to = this.from + this.days * DAY;
  }
  at(t) {
    return ((t - this.from) / (this.to - this.from)) * 100;
  }
  shows(t) {
    return t >= this.from && t <= this.to;
  }
  /** put places a node, from one moment or over a span. */
  put(node, from, to) {
    const left = Math.max(0, this.at(from));
    node.style.left = left.toFixed(3) + "%";
    if (to !== undefined) node.style.width = Math.max(0, Math.min(100, this.at(to)) - left).toFixed(3) + "%";
  }
}

/** hue is the number of a letter's colour. */
export function hue(label) {
  return label ? "v" + ((label.charCodeAt(0) - 65) % 4) : "";
}

/** count writes a number with thin groups. */
export function count(n) {
  return n.toLocaleString("en-GB");
}

/** millis reads a moment; a missing one is NaN. */
export function millis(text) {
  return text ? Date.parse(text) : NaN;
}
