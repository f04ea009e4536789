// The composer's tray: files picked, dropped or pasted, on their way to the console at once, in the
// order they will be sent. They belong to the draft on the server: what another tab or machine did
// to them comes with the news. How the tray looks and what its buttons do comes with its first file.
import { seenAccount } from "./answering.js";
import { current } from "./drafts.js";
import { fetchNews } from "../live/news.js";
import { postsOf } from "./posts.js";
import { announce, text } from "../page/texts.js";
import { visible } from "../page/unseen.js";
import { emit } from "../live/upsert.js";

const trays = new Map(); // conversation id → its entries, and which change of them the page knows
let drawing = null;

export function startAttachments() {
  document.addEventListener("console:opened", adopt);
  document.addEventListener("console:drawn", ({ detail }) => changed(detail.root));
  document.addEventListener("change", picked);
  document.addEventListener("change", changedKind);
  document.addEventListener("paste", pasted);
  document.addEventListener("dragover", dragged);
  document.addEventListener("dragleave", left);
  document.addEventListener("drop", dropped);
  document.addEventListener("click", pressed);
  adopt();
}

/** Whether the open draft has files: then it may go without a text. */
export function hasFiles() {
  return entries().length > 0;
}

export function form() {
  return document.querySelector("[data-composer]");
}

export function tray() {
  return form()?.querySelector("[data-tray]");
}

/**
 * `number`: of the change known here; `least`: of our own last one; `pending`: ours under way;
 * `next`: the place of the next file, after those that are being sent too.
 */
export function trayOf(conversation) {
  if (!trays.has(conversation)) {
    trays.set(conversation, { list: [], next: 0, number: -1, least: 0, pending: 0, isBehind: false });
  }
  return trays.get(conversation);
}

export function entries() {
  const box = tray();
  if (!box) return [];
  const own = trayOf(form().dataset.composer);
  if (!box.dataset.adopted) {
    box.dataset.adopted = "yes";
    receive(own, box.querySelector("[data-tray-files]"));
  }
  return own.list;
}

/** The files come by themselves; a field with a name would send them a second time. */
function adopt() {
  form()?.querySelector("[data-attach]")?.removeAttribute("name");
  draw();
}

function changed(root) {
  const now = root.querySelector("[data-tray-now]");
  if (now && tray() && root.dataset.open === form().dataset.composer) {
    entries();
    if (receive(trayOf(root.dataset.open), now)) draw();
  }
}

/** The draft's files as the server has them; those being sent stand in the conversation already. */
function receive(own, source) {
  const number = Number(source.dataset.number);
  if (number <= own.number || number < own.least) return false;
  if (own.pending) {
    own.isBehind = true;
    return false;
  }
  for (const row of source.children) own.next = Math.max(own.next, Number(row.dataset.place) + 1);
  const sent = postsOf(form().dataset.composer).flatMap((one) => one.files.map(keyOf));
  const here = [...source.children].filter((row) => !sent.includes(row.dataset.file)).map((row) => entryOf(own, row));
  own.list = [...here, ...own.list.filter((entry) => !entry.id)].sort((one, other) => one.place - other.place);
  own.number = number;
  return true;
}

/** The server's id; until that is known, the same as this page made it. */
export function keyOf(entry) {
  return entry.id ?? entry.mark;
}

function entryOf(own, row) {
  const { file: id, size, place, note, problem } = row.dataset;
  const known = own.list.find((entry) => keyOf(entry) === id);
  return Object.assign(known ?? { row, name: row.querySelector("[data-name]").textContent }, {
    id, size: Number(size), place: Number(place), note, problem, state: problem ? "failed" : "here",
  });
}

/** A change of ours was answered; what came meanwhile from elsewhere is asked for. */
export function settle(own, number = 0) {
  own.pending -= 1;
  own.least = Math.max(own.least, number);
  if (own.pending || !own.isBehind) return;
  own.isBehind = false;
  fetchNews();
}

/** What is shown may not be what the server has. */
export function doubt(own) {
  own.number = -1;
  if (tray()?.dataset.adopted) fetchNews();
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
  return tray() && event.target.closest?.(".open-conversation") && event.dataTransfer?.types.includes("Files");
}

function dragged(event) {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  form().querySelector("[data-drop-here]").hidden = false;
}

function left(event) {
  if (!tray() || event.relatedTarget?.closest?.(".open-conversation")) return;
  form().querySelector("[data-drop-here]").hidden = true;
}

function dropped(event) {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  form().querySelector("[data-drop-here]").hidden = true;
  add([...event.dataTransfer.files]);
}

/** A note has no files; those of the reply stay in the tray. */
export function isNote() {
  return form()?.elements.kind?.value === "note";
}

function changedKind(event) {
  if (event.target.matches?.("[data-composer] [name=kind]") && tray()) draw();
}

function pressed(event) {
  const button = event.target.closest?.(".tray-file button");
  if (!button) return;
  event.preventDefault();
  withTray((module) => module.press(button)).catch(() => {});
}

function add(files) {
  if (isNote()) {
    emit("failed", { elt: form(), words: text("files_not_in_note") });
    return;
  }
  const most = Number(tray().dataset.mostFiles);
  const list = entries();
  const own = trayOf(form().dataset.composer);
  const { composer: conversation, draftUrl } = form().dataset;
  const where = { ...tray().dataset, conversation, draftUrl, key: current().key, account: seenAccount() };
  const room = Math.max(0, most - list.length);
  for (const file of files.slice(0, room)) {
    const entry = { name: visible(file.name) || "file", size: file.size, file, where, place: own.next, percent: 0, state: "coming" };
    own.next += 1;
    list.push(entry);
    const broken = { state: "failed", problem: text("file_broken"), mayWork: true };
    entry.done = withTray((module) => module.begin(entry, own)).catch(() => Object.assign(entry, broken));
    announce(text("file_added", { name: entry.name }));
  }
  draw().then(() => files.length > room && say(text("too_many_files", { count: most })));
}

/** The files of what is being sent leave the tray; those on their way come to their message. */
export function handFilesOver() {
  const list = [...entries()];
  if (!tray()) return list;
  trayOf(form().dataset.composer).list = [];
  draw();
  return list;
}

/** What was not sent is in the tray again, as far as the server has it, before what was added since. */
export function giveFilesBack(conversation, files) {
  if (!files.length) return;
  const own = trayOf(conversation);
  const back = files.filter((one) => !own.list.some((entry) => entry.id && entry.id === one.id));
  own.list = [...back.map((one) => (one.state ? one : { ...one, state: "here", place: 0 })), ...own.list];
  doubt(own);
  draw();
}

/** Says why the files of the draft keep it from going. */
export function refusesFiles(isParked) {
  const list = isNote() ? [] : entries();
  if (!list.length) return false;
  const failed = list.some((entry) => entry.state === "failed");
  if (isParked || failed) say(text(isParked ? "files_not_parked" : "files_failed"));
  return isParked || failed;
}

export function say(words) {
  const note = tray()?.querySelector("[data-tray-note]");
  if (note) note.textContent = words;
}

/** Nothing is drawn where no file ever was. */
export async function draw() {
  if (!tray()) return;
  if (drawing || entries().length || tray().querySelector("[data-tray-files]").children.length) {
    await withTray((module) => module.show()).catch(() => {});
  }
  emit("cost");
}

async function withTray(act) {
  drawing ??= import("./tray.js");
  try {
    return await drawing.then(act);
  } catch (problem) {
    drawing = null;
    say(text("file_broken"));
    throw problem;
  }
}
