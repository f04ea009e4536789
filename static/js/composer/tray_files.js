// The files of a draft as the page knows them, per conversation. They belong to the draft on the
// server: what another tab or machine did to them comes with the news.
import { fetchNews } from "../live/news.js";
import { form } from "./form.js";
import { postsOf } from "./posts.js";

const trays = new Map(); // conversation id → its entries, and which change of them the page knows

/** Whether the open draft has files: then it may go without a text. */
export function hasFiles() {
  return entries().length > 0;
}

/** @returns {HTMLElement | null} */
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

/** The draft's files as the server has them; those being sent stand in the conversation already. */
export function receive(own, source) {
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
    id,
    size: Number(size),
    place: Number(place),
    note,
    problem,
    state: problem ? "failed" : "here",
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

export function say(words) {
  const note = tray()?.querySelector("[data-tray-note]");
  if (note) note.textContent = words;
}
