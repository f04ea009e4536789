// What the tray shows of the draft's files, and what its buttons do; fetched with the first file.
import { emit, on } from "../events.js";
import { announce, text } from "../page/texts.js";
import { begin, move, remove } from "./draft_files.js";
import { form, isNote } from "./form.js";
import { entries, say, tray, trayOf } from "./tray_files.js";
import { rowOf } from "./tray_row.js";

export { begin };

on("files", show);
on("progress", ({ entry }) => {
  if (entry.row) entry.row.querySelector("[data-progress]").value = entry.percent;
});

export function press(button) {
  const list = entries();
  const own = trayOf(form().dataset.composer);
  const at = list.findIndex((entry) => entry.row === button.closest(".tray-file"));
  if (at < 0) return;
  if ("remove" in button.dataset) removeAt(own, at);
  else if ("again" in button.dataset) list[at].done = begin(list[at], own);
  else move(own, at, "earlier" in button.dataset ? -1 : 1);
  show();
}

function removeAt(own, at) {
  const { name } = remove(own, at);
  announce(text("file_removed", { name }));
  const next = own.list[Math.min(at, own.list.length - 1)]?.row?.querySelector("[data-remove]");
  (next ?? form().querySelector("[data-attach]")).focus({ preventScroll: true });
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
  emit("cost");
}
