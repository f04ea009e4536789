// Puts rows and parts of a response into the page: replaced in place, inserted in order, never
// older over newer. Focus, selection and scroll stay. Must never touch the composer.
import { advance, parse, rewind } from "./streams.js";

const MORPH = { morphStyle: "outerHTML", ignoreActiveValue: true, restoreFocus: true };
const HOLD_MS = 1200;

let heldUntil = 0;
let held = [];
let timer = 0;

/** While the pointer moves in a list, rows keep their places: the click must not miss. */
export function holdRows() {
  heldUntil = Date.now() + HOLD_MS;
}

export function read(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.querySelector("[data-changes]");
}

/** Draw a response. Says so in a `drawn` event with the rows that are new to the page. */
export function draw(root) {
  const isPage = root.dataset.changes === "page";
  const fresh = [];
  const beyond = [];
  emit("drawing", { root });
  for (const source of root.querySelectorAll("[data-into]")) {
    const list = document.getElementById(source.dataset.into);
    if (list) for (const row of [...source.children]) drawRow(list, row, isPage, fresh, beyond);
  }
  for (const part of root.querySelectorAll("[data-live-part]")) drawPart(part);
  const numbers = parse(root.dataset.streams);
  const thread = document.getElementById("thread");
  if (isPage) rewind(numbers);
  // Asked for while another thread was open: what this one missed must be asked for again.
  else if (thread && thread.dataset.conversation !== root.dataset.open) {
    rewind(parse(thread.dataset.streams));
  } else advance(numbers);
  emit("drawn", { root, fresh, beyond, isPage });
}

export function emit(name, detail) {
  document.dispatchEvent(new CustomEvent(`console:${name}`, { detail }));
}

function drawRow(list, row, isPage, fresh, beyond) {
  if (!row.id) return;
  const old = document.getElementById(row.id);
  if ("removed" in row.dataset) {
    old?.remove();
    return;
  }
  if (old && Number(row.dataset.version) < Number(old.dataset.version)) return;
  if (!old && !isPage && liesBeyond(list, row)) {
    if (liesAfter(list, row)) beyond.push(row);
    return;
  }
  if (!old) fresh.push(row);
  else keepCurrent(old, row);
  if (list.dataset.order === "down" && !isPage && movesIt(list, old, row)) place(list, old, row);
  else if (old) morph(old, row, list);
  else insert(list, row, isPage);
}

/** Rows that moved are put in their place now, or as soon as the pointer rests. */
function place(list, old, row) {
  const wait = heldUntil - Date.now();
  if (wait <= 0) return old ? moveTo(list, morph(old, row, list)) : insert(list, row);
  const living = old ? morph(old, row, list) : row;
  held = held.filter((one) => one.row.id !== living.id);
  held.push({ list, row: living });
  clearTimeout(timer);
  timer = setTimeout(release, wait);
  return undefined;
}

function release() {
  const wait = heldUntil - Date.now();
  if (wait > 0) {
    timer = setTimeout(release, wait);
    return;
  }
  const waiting = held;
  held = [];
  for (const { list, row } of waiting) {
    const known = document.getElementById(row.id);
    if (known) moveTo(list, known);
    else if (list.isConnected) insert(list, row);
  }
  emit("placed", {});
}

function movesIt(list, old, row) {
  return !old || neighbour(list, row, old) !== nextRow(old);
}

/** Older than everything loaded while more lies behind: it comes with its page. */
function liesBeyond(list, row) {
  const rows = list.querySelectorAll(":scope > [id]");
  const moreBelow = list.dataset.order === "down" && document.querySelector("#more a");
  const moreAbove = list.matches("[data-messages]") && document.querySelector("#earlier a");
  if (moreBelow && rows.length) return row.dataset.key < rows[rows.length - 1].dataset.key;
  if (moreAbove && rows.length && row.dataset.key < rows[0].dataset.key) return true;
  return liesAfter(list, row);
}

/** A thread that was opened at an old message: what is new lies behind what was not loaded yet. */
function liesAfter(list, row) {
  const rows = list.querySelectorAll(":scope > [id]");
  const moreAfter = list.matches("[data-messages]") && document.querySelector("#later a");
  return Boolean(moreAfter && rows.length && row.dataset.key > rows[rows.length - 1].dataset.key);
}

/** What only this page knows of a row: that it is the open one. */
function keepCurrent(old, row) {
  const current = old.querySelector("a[aria-current]");
  if (current) row.querySelector(":scope > a")?.setAttribute("aria-current", "page");
  if (old.querySelector("details[open]")) row.querySelector("details")?.setAttribute("open", "");
}

function morph(old, row, list) {
  const id = row.id;
  if (holdsFocusedField(old)) {
    old.dataset.version = row.dataset.version;
    return old;
  }
  Idiomorph.morph(old, row, MORPH);
  const living = document.getElementById(id);
  htmx.process(living);
  if (list.dataset.order === "up" && !list.matches("[data-messages]")) moveTo(list, living);
  return living;
}

function insert(list, row, isPage = false) {
  if (!isPage) row.classList.add("is-new");
  list.insertBefore(row, neighbour(list, row));
  htmx.process(row);
}

function moveTo(list, row) {
  const before = neighbour(list, row, row);
  if (before === nextRow(row)) return;
  if (list.moveBefore) {
    list.moveBefore(row, before);
    return;
  }
  const focused = row.contains(document.activeElement) ? document.activeElement : null;
  list.insertBefore(row, before);
  focused?.focus({ preventScroll: true });
}

/** The row that `row` stands before: the first with a later key (`up`) or an earlier one. */
function neighbour(list, row, itself = null) {
  const down = list.dataset.order === "down";
  for (const other of list.querySelectorAll(":scope > [id]")) {
    if (other === itself) continue;
    const later = down ? other.dataset.key < row.dataset.key : other.dataset.key > row.dataset.key;
    if (later) return other;
  }
  return null;
}

function nextRow(row) {
  let next = row.nextElementSibling;
  while (next && !next.id) next = next.nextElementSibling;
  return next;
}

function drawPart(part) {
  const old = document.getElementById(part.id);
  if (!old) return;
  const version = Number(part.dataset.version);
  // A rename in place is left alone; a login goes on whatever is being typed.
  if (!version && holdsFocusedField(old)) return;
  if (version && version <= Number(old.dataset.version)) return;
  if (part.outerHTML === old.outerHTML) return;
  if (part.dataset.livePart === "replace") {
    old.replaceWith(part);
    htmx.process(part);
    return;
  }
  for (const menu of old.querySelectorAll("details[open]")) {
    const label = menu.querySelector("summary")?.getAttribute("aria-label");
    for (const other of part.querySelectorAll("details")) {
      if (other.querySelector("summary")?.getAttribute("aria-label") === label) other.open = true;
    }
  }
  Idiomorph.morph(old, part, MORPH);
  htmx.process(document.getElementById(part.id));
}

function holdsFocusedField(element) {
  const active = document.activeElement;
  return Boolean(active?.matches("input:not([type=hidden]),textarea") && element.contains(active));
}
