// Files picked, dropped or pasted go to the composer's tray, on their way to the console at once, in the
// order they will be sent. How the tray looks and what its buttons do comes with its first file.
import { emit, on } from "../events.js";
import { announce, text } from "../page/texts.js";
import { visible } from "../page/unseen.js";
import { current } from "./drafts.js";
import { form, isNote } from "./form.js";
import { seenAccount } from "./seen_account.js";
import { doubt, entries, receive, say, tray, trayOf } from "./tray_files.js";

let drawing = null;

export function startAttachments() {
  on("opened", adopt);
  on("drawn", (detail) => changed(detail.root));
  document.addEventListener("change", picked);
  document.addEventListener("change", changedKind);
  document.addEventListener("paste", pasted);
  document.addEventListener("dragover", dragged);
  document.addEventListener("dragleave", left);
  document.addEventListener("drop", dropped);
  document.addEventListener("click", pressed);
  adopt();
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
    const entry = {
      name: visible(file.name) || "file",
      size: file.size,
      file,
      where,
      place: own.next,
      percent: 0,
      state: "coming",
    };
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

/** Nothing is drawn where no file ever was. */
async function draw() {
  if (!tray()) return;
  if (drawing || entries().length || tray().querySelector("[data-tray-files]").children.length) {
    await withTray((module) => module.show()).catch(() => emit("cost"));
  } else emit("cost");
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
