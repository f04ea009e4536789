// What happens to a draft's files on the server: uploaded, put in order, removed. Draws nothing.
import { emit } from "../events.js";
import { ask } from "../live/ask.js";
import { take } from "../live/exchange.js";
import { text } from "../page/texts.js";
import { form } from "./form.js";
import { doubt, keyOf, settle } from "./tray_files.js";
import { carry } from "./uploads.js";

const NEARLY_THERE = 90;

/** On its way to the draft that it was added to; resolves when it is there, or failed. */
export function begin(entry, own) {
  const { mostBytes, mostWords, uploadUrl, draftUrl, conversation, key, account } = entry.where;
  Object.assign(entry, { state: "coming", percent: 0, problem: "" });
  if (!entry.size) return fail(entry, text("file_empty"));
  if (entry.size > Number(mostBytes)) return fail(entry, text("file_too_large", { most: mostWords }));
  const onProgress = (percent) => {
    entry.percent = percent;
    emit("progress", { entry });
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
  emit("files");
}

/** `mayWork`: the line broke; the same file may come at the next try. */
function fail(entry, words, mayWork = false) {
  Object.assign(entry, { state: "failed", problem: words, carrying: null, mayWork });
  emit("files");
}

/** What has nearly come is removed when it is there: it may be in the draft by now. */
export function remove(own, at) {
  const [entry] = own.list.splice(at, 1);
  entry.isUnwanted = true;
  if (entry.percent < NEARLY_THERE) entry.carrying?.abort();
  if (entry.id) removeFrom(own, form().dataset.draftUrl, entry);
  return entry;
}

function removeFrom(own, draftUrl, entry) {
  return change(own, `${draftUrl}files/${entry.id}/remove/`, new URLSearchParams());
}

export function move(own, at, by) {
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
