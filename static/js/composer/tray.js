// What the tray shows of the draft's files, and what its buttons do; fetched with the first file.
import { doubt, draw, entries, form, isNote, keyOf, say, settle, tray, trayOf } from "./attachments.js";
import { ask, take } from "../live/exchange.js";
import { announce, text } from "../page/texts.js";
import { carry } from "./uploads.js";
import { emit } from "../live/upsert.js";

const MEGABYTE = 1024 * 1024;
const NEARLY_THERE = 90;

/** On its way to the draft that it was added to; resolves when it is there, or failed. */
export function begin(entry, own) {
  const { mostBytes, mostWords, uploadUrl, draftUrl, conversation, key, account } = entry.where;
  Object.assign(entry, { state: "coming", percent: 0, problem: "" });
  if (!entry.size) return fail(entry, text("file_empty"));
  if (entry.size > Number(mostBytes)) return fail(entry, text("file_too_large", { most: mostWords }));
  const onProgress = (percent) => {
    entry.percent = percent;
    if (entry.row) entry.row.querySelector("[data-progress]").value = percent;
  };
  const { place } = entry;
  entry.mark ??= newMark();
  const values = { conversation, place, key, account, id: entry.mark };
  entry.carrying = carry(entry.file, { url: uploadUrl, values, onProgress });
  own.pending += 1;
  return entry.carrying.done.then(
    (answer) => {
      settle(own, answer.number);
      arrived(entry, answer);
      if (entry.isUnwanted) removeFrom(own, draftUrl, entry);
      else if (entry.place !== place) sendOrder(own, draftUrl);
    },
    (refusal) => {
      settle(own);
      if (refusal) fail(entry, refusal.words || text("file_broken"), refusal.mayWork ?? true);
    },
  );
}

/** Tried again after a lost answer it is the same file. */
function newMark() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
}

function arrived(entry, answer) {
  const { place } = entry; // it may have been moved meanwhile
  Object.assign(entry, answer, { place, state: "here", carrying: null });
  // A browser draws no picture that ends too early; the console does.
  if (entry.row?.querySelector("canvas").hidden) preview(entry.row, { thumb: entry.thumb });
  draw();
}

/** `mayWork`: the line broke; the same file may come at the next try. */
function fail(entry, words, mayWork = false) {
  Object.assign(entry, { state: "failed", problem: words, carrying: null, mayWork });
  draw();
}

export function press(button) {
  const list = entries();
  const own = trayOf(form().dataset.composer);
  const at = list.findIndex((entry) => entry.row === button.closest(".tray-file"));
  if (at < 0) return;
  if ("remove" in button.dataset) remove(own, at);
  else if ("again" in button.dataset) list[at].done = begin(list[at], own);
  else move(own, at, "earlier" in button.dataset ? -1 : 1);
  draw();
}

/** What has nearly come is removed when it is there: it may be in the draft by now. */
function remove(own, at) {
  const [entry] = own.list.splice(at, 1);
  entry.isUnwanted = true;
  if (entry.percent < NEARLY_THERE) entry.carrying?.abort();
  if (entry.id) removeFrom(own, form().dataset.draftUrl, entry);
  announce(text("file_removed", { name: entry.name }));
  const next = own.list[Math.min(at, own.list.length - 1)]?.row?.querySelector("[data-remove]");
  (next ?? form().querySelector("[data-attach]")).focus({ preventScroll: true });
}

function removeFrom(own, draftUrl, entry) {
  return change(own, `${draftUrl}files/${entry.id}/remove/`, new URLSearchParams());
}

function move(own, at, by) {
  const { list } = own;
  const to = at + by;
  if (to < 0 || to >= list.length) return;
  [list[at], list[to]] = [list[to], list[at]];
  [list[at].place, list[to].place] = [list[to].place, list[at].place];
  if (list.some((entry) => entry.id)) sendOrder(own, form().dataset.draftUrl);
}

/** What is not there yet keeps its place. */
function sendOrder(own, draftUrl) {
  const values = new URLSearchParams();
  own.list.forEach((entry, place) => {
    entry.place = place;
    values.append("upload", keyOf(entry) ?? "");
  });
  return change(own, `${draftUrl}files/order/`, values);
}

/** Told to the server; its answer says how the draft stands after it. */
async function change(own, url, values) {
  own.pending += 1;
  const answer = await ask(url, values);
  settle(own);
  if (answer.isGood) take(answer);
  else {
    if (answer.isUnsure && form()) emit("failed", { elt: form(), words: answer.words });
    doubt(own); // another tab may have been faster
  }
}

export function show() {
  const box = tray();
  if (!box) return;
  const list = entries();
  const focused = document.activeElement;
  box.hidden = !list.length;
  const notes = isNote() ? [text("files_not_in_note")] : list.map((entry) => entry.note).filter(Boolean);
  say([...new Set(notes)].join(" "));
  box.querySelector("[data-tray-files]").replaceChildren(...list.map(rowOf));
  if (focused?.isConnected && focused.closest(".tray-file")) focused.focus({ preventScroll: true });
}

function rowOf(entry, place, list) {
  entry.row ??= newRow();
  const { row } = entry;
  if (!row.dataset.drawn) fillRow(row, entry);
  const find = (name) => row.querySelector(`[data-${name}]`);
  row.className = `tray-file is-${entry.state}`;
  find("facts").textContent = entry.problem || sizeWords(entry.size);
  find("facts").classList.toggle("bad", entry.state === "failed");
  find("progress").hidden = entry.state !== "coming";
  find("progress").value = entry.percent ?? 0;
  find("earlier").hidden = find("later").hidden = list.length < 2;
  find("earlier").disabled = place === 0;
  find("later").disabled = place === list.length - 1;
  find("again").hidden = entry.state !== "failed" || !entry.mayWork;
  row.querySelector("input")?.remove();
  if (entry.state === "here") {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "upload", value: entry.id });
    field.disabled = isNote();
    row.append(field);
  }
  return row;
}

function newRow() {
  return tray().querySelector("[data-tray-file]").content.querySelector("li").cloneNode(true);
}

function fillRow(row, entry) {
  row.dataset.drawn = "yes";
  row.querySelector("[data-name]").textContent = entry.name;
  for (const act of ["earlier", "later", "remove"]) {
    row.querySelector(`[data-${act}]`).setAttribute("aria-label", text(`${act}_file`, { name: entry.name }));
  }
  row.querySelector("[data-again]").setAttribute("aria-label", text("retry_file", { name: entry.name }));
  row.querySelector("[data-progress]").setAttribute("aria-label", entry.name);
  if (!row.querySelector("img")) preview(row, entry);
}

/** Drawn from the file itself; where it is not in this page, from the console's small picture. */
async function preview(row, entry) {
  const canvas = row.querySelector("canvas");
  try {
    const source = entry.file?.type.startsWith("image/") ? entry.file : await small(entry.thumb);
    if (!source) return;
    const picture = await createImageBitmap(source);
    const side = Math.min(picture.width, picture.height);
    const x = (picture.width - side) / 2;
    const y = (picture.height - side) / 2;
    canvas.width = canvas.height = 80;
    canvas.getContext("2d").drawImage(picture, x, y, side, side, 0, 0, 80, 80);
    picture.close();
    canvas.hidden = false;
  } catch { /* no picture after all: the icon stays */ }
}

async function small(address) {
  return address ? (await fetch(address)).blob() : null;
}

function sizeWords(size) {
  const unit = size >= MEGABYTE ? ["MB", MEGABYTE] : ["KB", 1024];
  if (size < 1024) return `${size} B`;
  return `${(size / unit[1]).toLocaleString("en", { maximumFractionDigits: 1 })} ${unit[0]}`;
}
