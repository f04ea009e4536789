// Puts rows and parts of a response into the page: replaced in place, inserted in order, never
// older over newer. Focus, selection and scroll stay. Must never touch the composer.
import { emit } from "../events.js";
import { setClock } from "./server_clock.js";
import { advance, isEarlier, parse, rewind } from "./streams.js";

const FIELDS = "input, textarea, select";

let isHeld = () => false;
const held = new Map();

/** While `check` says so, rows that stand in order keep their places: the click must not miss. */
export function holdWhile(check) {
  isHeld = check;
}

export function read(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.querySelector("[data-changes]");
}

/** Whether it was drawn for the person of this page: somebody else may have signed in in another tab. */
export function isOurs({ dataset }) {
  return !dataset.user || dataset.user === document.body.dataset.user;
}

/** Draw a response. Says so in a `drawn` event with the rows that are new to the page. */
export function draw(root) {
  setClock(root);
  const isPage = root.dataset.changes === "page";
  const fresh = [];
  const beyond = [];
  const forOtherList = dropOtherList(root);
  emit("drawing", { root });
  for (const source of root.querySelectorAll("[data-into]")) {
    const list = document.getElementById(source.dataset.into);
    if (list && source.dataset.first) dropBefore(list, source.dataset.first);
    if (list) for (const row of [...source.children]) drawRow(list, row, isPage, fresh, beyond);
  }
  for (const part of root.querySelectorAll("[data-live-part]")) drawPart(part);
  const numbers = parse(root.dataset.streams);
  const conversation = document.getElementById("open-conversation");
  // An answer that was overtaken by a frame: what stood there may have been later.
  if (isPage || isEarlier(numbers)) rewind(numbers);
  // Asked for while another conversation was open: what this one missed must be asked for again.
  else if (conversation && conversation.dataset.conversation !== root.dataset.open) {
    rewind(parse(conversation.dataset.streams));
  } else advance(numbers);
  if (forOtherList) rewind(parse(document.getElementById("list-pane").dataset.streams));
  emit("drawn", { root, fresh, beyond, isPage });
}

/** Asked for while another list was shown: its rows are none of this one's. */
function dropOtherList(root) {
  const list = document.getElementById("list-pane");
  if (!list || root.dataset.list === undefined || root.dataset.list === list.dataset.list) return false;
  for (const part of root.querySelectorAll("[data-of-list], [data-into=conversation-rows], #more")) part.remove();
  delete root.dataset.staleList;
  return true;
}

/** Messages before this key were deleted. */
function dropBefore(list, first) {
  for (const row of [...list.querySelectorAll(":scope > [data-key]")]) if (row.dataset.key < first) remove(row);
}

function drawRow(list, row, isPage, fresh, beyond) {
  if (!row.id) return;
  const old = document.getElementById(row.id);
  if ("removed" in row.dataset) {
    leave(list, old, row.id);
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
  else if (old) stay(list, old, row);
  else insert(list, row, isPage);
}

/** Rows that moved are put in their place now, or as soon as nobody holds them. */
function place(list, old, row) {
  if (!isHeld()) {
    held.delete(row.id);
    if (old) moveTo(list, morph(old, row, list));
    else insert(list, row);
    return;
  }
  held.set(row.id, { list, row: old ? morph(old, row, list) : row });
  sayHeld();
}

/** A row that is in its list no more stays greyed where it is while it is held. */
function leave(list, old, id) {
  const waits = held.delete(id);
  if (old && list.dataset.order === "down" && isHeld()) {
    old.classList.add("is-leaving");
    held.set(id, { list, row: old, leaves: true });
  } else remove(old);
  if (waits || held.size) sayHeld();
}

function remove(row) {
  if (!row) return;
  const next = row.contains(document.activeElement) && (row.nextElementSibling ?? row.previousElementSibling);
  row.remove();
  if (next) next.querySelector("a")?.focus({ preventScroll: true });
}

/** Everything that was held takes its place. */
export function releaseRows() {
  if (!held.size) return;
  const waiting = [...held.values()];
  held.clear();
  for (const { list, row, leaves } of waiting) {
    const known = document.getElementById(row.id);
    if (leaves) remove(known);
    else if (known) moveTo(list, known);
    else if (list.isConnected) insert(list, row);
  }
  sayHeld();
  emit("placed");
}

function sayHeld() {
  for (const [id, { list }] of held) if (!list.isConnected) held.delete(id);
  emit("held", { count: held.size });
}

/** Drawn anew where it is: whatever waited to be done with it is done with. */
function stay(list, old, row) {
  morph(old, row, list);
  if (held.delete(row.id)) sayHeld();
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

/** A conversation that was opened at an old message: what is new lies behind what was not loaded yet. */
function liesAfter(list, row) {
  const rows = list.querySelectorAll(":scope > [id]");
  const moreAfter = list.matches("[data-messages]") && document.querySelector("#later a");
  return Boolean(moreAfter && rows.length && row.dataset.key > rows[rows.length - 1].dataset.key);
}

/** What only this page knows of a row: that it is the open one. */
function keepCurrent(old, row) {
  const current = old.querySelector("a[aria-current]");
  if (current) row.querySelector(":scope > a")?.setAttribute("aria-current", "page");
  const box = row.querySelector(".pick input");
  if (box) box.checked = Boolean(old.querySelector(".pick input")?.checked);
  if (old.querySelector("details[open]")) row.querySelector("details")?.setAttribute("open", "");
}

function morph(old, row, list) {
  const id = row.id;
  if (holdsFocusedField(old)) {
    old.dataset.version = row.dataset.version;
    return old;
  }
  Idiomorph.morph(old, row, manner());
  const living = document.getElementById(id);
  htmx.process(living);
  if (list.dataset.order === "up" && !list.matches("[data-messages]")) moveTo(list, living);
  return living;
}

/** What is being typed stays. Idiomorph would leave a focused link as it is too: a row walked to by keys. */
function manner() {
  const typing = Boolean(document.activeElement?.matches(FIELDS));
  return { morphStyle: "outerHTML", ignoreActiveValue: typing, restoreFocus: true };
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
  Idiomorph.morph(old, part, manner());
  htmx.process(document.getElementById(part.id));
}

function holdsFocusedField(element) {
  const active = document.activeElement;
  return Boolean(active?.matches("input:not([type=hidden]),textarea") && element.contains(active));
}
