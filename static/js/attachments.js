// The composer's tray: files picked, dropped or pasted, on their way to the console at once, in the
// order they will be sent. Each conversation keeps its own until they are sent.
import { announce, text } from "./texts.js";
import { carry, discard } from "./uploads.js";
import { emit } from "./upsert.js";

const MEGABYTE = 1024 * 1024;
const trays = new Map(); // conversation id → entries

let wanted = null; // the button pressed while files were still on their way

export function startAttachments() {
  document.addEventListener("console:opened", adopt);
  document.addEventListener("change", picked);
  document.addEventListener("change", changedKind);
  document.addEventListener("paste", pasted);
  document.addEventListener("dragover", dragged);
  document.addEventListener("dragleave", left);
  document.addEventListener("drop", dropped);
  document.addEventListener("click", pressed);
  document.addEventListener("submit", held, true);
  document.addEventListener("console:answered", sent);
  adopt();
}

/** Whether the open draft has files: then it may go without a text. */
export function hasFiles() {
  return entries().length > 0;
}

function form() {
  return document.querySelector("[data-composer]");
}

function tray() {
  return form()?.querySelector("[data-tray]");
}

function entries() {
  const id = form()?.dataset.composer;
  if (!id) return [];
  if (!trays.has(id)) trays.set(id, recalled(id));
  return trays.get(id);
}

/** The files come by themselves; a field with a name would send them a second time. */
function adopt() {
  wanted = null;
  form()?.querySelector("[data-attach]")?.removeAttribute("name");
  if (tray()) draw();
}

function picked(event) {
  if (!event.target.matches?.("[data-attach]")) return;
  add([...event.target.files]);
  event.target.value = "";
  form().elements.text.focus({ preventScroll: true });
}

function pasted(event) {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length || !event.target.closest?.("[data-composer]")) return;
  event.preventDefault();
  add(files);
}

function carriesFiles(event) {
  return tray() && event.target.closest?.(".thread") && event.dataTransfer?.types.includes("Files");
}

function dragged(event) {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  form().querySelector("[data-drop-here]").hidden = false;
}

function left(event) {
  if (!tray() || event.relatedTarget?.closest?.(".thread")) return;
  form().querySelector("[data-drop-here]").hidden = true;
}

function dropped(event) {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  form().querySelector("[data-drop-here]").hidden = true;
  add([...event.dataTransfer.files]);
}

/** A note has no files; those of the reply stay in the tray. */
function isNote() {
  return form()?.elements.kind?.value === "note";
}

function changedKind(event) {
  if (event.target.matches?.("[data-composer] [name=kind]") && tray()) draw();
}

function add(files) {
  if (isNote()) {
    emit("failed", { elt: form(), words: text("files_not_in_note") });
    return;
  }
  const most = Number(tray().dataset.mostFiles);
  const list = entries();
  let full = false;
  for (const file of files) {
    if (list.length >= most) {
      full = true;
      break;
    }
    const entry = { name: file.name || "file", size: file.size, file, percent: 0, state: "coming" };
    list.push(entry);
    begin(entry);
    announce(text("file_added", { name: entry.name }));
  }
  draw();
  if (full) say(text("too_many_files", { count: most }));
}

function begin(entry) {
  const { mostBytes, mostWords, uploadUrl } = tray().dataset;
  Object.assign(entry, { state: "coming", percent: 0, problem: "" });
  if (!entry.size) return fail(entry, text("file_empty"));
  if (entry.size > Number(mostBytes)) return fail(entry, text("file_too_large", { most: mostWords }));
  const onProgress = (percent) => {
    entry.percent = percent;
    if (entry.row) entry.row.querySelector("[data-progress]").value = percent;
  };
  entry.carrying = carry(entry.file, { url: uploadUrl, token: token(), onProgress });
  entry.carrying.done.then(
    (answer) => arrived(entry, answer),
    (words) => words !== null && fail(entry, words || text("file_broken"), !words),
  );
  return undefined;
}

function token() {
  return form().elements.csrfmiddlewaretoken.value;
}

function arrived(entry, answer) {
  Object.assign(entry, answer, { state: "here", carrying: null });
  settle();
}

/** `mayWork`: the line broke; the same file may come at the next try. */
function fail(entry, words, mayWork = false) {
  Object.assign(entry, { state: "failed", problem: words, carrying: null, mayWork });
  settle();
}

/** Something ended: what waited for it goes, if nothing else is missing. */
function settle() {
  draw();
  const list = entries();
  if (!wanted || list.some((entry) => entry.state === "coming")) return;
  const button = wanted;
  wanted = null;
  if (list.some((entry) => entry.state === "failed")) say(text("files_failed"));
  else if (button.isConnected) form().requestSubmit(button.form ? button : undefined);
}

/** Not before all files are here; then it sends by itself. */
function held(event) {
  const list = entries();
  if (event.target !== form() || isNote() || !list.length) return;
  if (event.submitter?.name === "park") {
    refuse(event, text("files_not_parked"));
    return;
  }
  const coming = list.some((entry) => entry.state === "coming");
  const failed = list.some((entry) => entry.state === "failed");
  if (!coming && !failed) return;
  if (coming) wanted = event.submitter ?? event.target;
  refuse(event, text(coming ? "files_uploading" : "files_failed"));
}

function refuse(event, words) {
  event.preventDefault();
  event.stopImmediatePropagation();
  say(words);
}

/** Sent: the tray is empty. Undone, or to be edited: its files are here again, before the others. */
function sent({ detail }) {
  if (!tray()) return;
  const back = JSON.parse(detail.root.dataset.draftFiles || "[]").map(here);
  const kept = detail.elt === form() && !isNote() ? [] : entries();
  trays.set(form().dataset.composer, [...back, ...kept]);
  if (detail.elt === form()) wanted = null;
  draw();
}

function here(entry) {
  return { ...entry, name: entry.name || "file", state: "here" };
}

function pressed(event) {
  const button = event.target.closest?.(".tray-file button");
  if (!button) return;
  const list = entries();
  const at = list.findIndex((entry) => entry.row === button.closest(".tray-file"));
  if (at < 0) return;
  if ("remove" in button.dataset) remove(list, at);
  else if ("again" in button.dataset) begin(list[at]);
  else move(list, at, "earlier" in button.dataset ? -1 : 1);
  draw();
}

function remove(list, at) {
  const [entry] = list.splice(at, 1);
  entry.carrying?.abort();
  if (entry.id) discard(entry.id, { url: tray().dataset.uploadUrl, token: token() });
  announce(text("file_removed", { name: entry.name }));
  const next = list[Math.min(at, list.length - 1)]?.row?.querySelector("[data-remove]");
  (next ?? form().elements.text).focus({ preventScroll: true });
}

function move(list, at, by) {
  const to = at + by;
  if (to < 0 || to >= list.length) return;
  [list[at], list[to]] = [list[to], list[at]];
}

function draw() {
  const box = tray();
  if (!box) return;
  const list = entries();
  const focused = document.activeElement;
  box.hidden = !list.length;
  const notes = isNote() ? [text("files_not_in_note")] : list.map((entry) => entry.note).filter(Boolean);
  say([...new Set(notes)].join(" "));
  box.querySelector("[data-tray-files]").replaceChildren(...list.map(rowOf));
  if (focused?.isConnected && focused.closest(".tray-file")) focused.focus({ preventScroll: true });
  keep();
  emit("cost");
}

function rowOf(entry, place, list) {
  if (!entry.row?.isConnected && !entry.row) entry.row = newRow(entry);
  const { row } = entry;
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

function newRow(entry) {
  const row = tray().querySelector("[data-tray-file]").content.firstElementChild.cloneNode(true);
  row.querySelector("[data-name]").textContent = entry.name;
  for (const act of ["earlier", "later", "remove"]) {
    row.querySelector(`[data-${act}]`).setAttribute("aria-label", text(`${act}_file`, { name: entry.name }));
  }
  row.querySelector("[data-again]").setAttribute("aria-label", text("retry_file", { name: entry.name }));
  row.querySelector("[data-progress]").setAttribute("aria-label", entry.name);
  preview(row, entry);
  return row;
}

/** Drawn from the file itself; a draft that was recalled has only the console's small picture. */
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

function say(words) {
  const note = tray()?.querySelector("[data-tray-note]");
  if (note) note.textContent = words;
}

function sizeWords(size) {
  const unit = size >= MEGABYTE ? ["MB", MEGABYTE] : ["KB", 1024];
  if (size < 1024) return `${size} B`;
  return `${(size / unit[1]).toLocaleString("en", { maximumFractionDigits: 1 })} ${unit[0]}`;
}

function keep() {
  const id = form().dataset.composer;
  const here = entries().filter((entry) => entry.state === "here");
  const kept = here.map(({ id: upload, name, size, thumb, note }) => ({ id: upload, name, size, thumb, note }));
  try {
    if (kept.length) sessionStorage.setItem(`weilink-files-${id}`, JSON.stringify(kept));
    else sessionStorage.removeItem(`weilink-files-${id}`);
  } catch { /* storage is full or blocked: the files live in the page alone */ }
}

function recalled(id) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(`weilink-files-${id}`)) ?? [];
    return kept.map(here);
  } catch {
    return [];
  }
}
