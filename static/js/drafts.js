// Drafts on the server, one per kind: saved a moment after the last key, flushed on leaving. A draft
// that another tab changed is never overwritten silently.
import { csrfToken } from "./exchange.js";
import { emit } from "./upsert.js";

const SAVE_AFTER_MS = 600;
const RETRY_MS = 3_000;
const TIMEOUT_MS = 10_000;
const KEEPALIVE_MOST = 60_000;

let book = null;
let timer = 0;

export function startDrafts() {
  document.addEventListener("click", decide);
  window.addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", () => document.hidden && flush());
}

/** The drafts of the conversation that is open now; the one before is saved to its end. */
export function load(form) {
  flush();
  const kept = JSON.parse(form.dataset.drafts);
  const fresh = (draft) => ({ ...draft, saved: draft.text, saving: false });
  book = {
    url: form.dataset.draftUrl,
    kind: "reply",
    drafts: { reply: fresh(kept.reply), note: fresh(kept.note) },
  };
  if (form.elements.text.value) book.drafts.reply.text = form.elements.text.value;
}

export function current() {
  return book.drafts[book.kind];
}

export function switchTo(kind) {
  flush();
  book.kind = kind;
  return current();
}

export function remember(words) {
  current().text = words;
  clearTimeout(timer);
  timer = setTimeout(save, SAVE_AFTER_MS, book, book.kind);
}

/** The draft is being posted: it is not saved beside that. */
export function pause() {
  clearTimeout(timer);
}

/** The message took the draft along: what follows is a new one. */
export function forget({ key, number, text }) {
  clearTimeout(timer);
  Object.assign(current(), { key, number, text, saved: text, other: null });
  showConflict();
}

/** What was typed and not saved yet, as the composer is about to be filled anew. */
export function discardTyped() {
  clearTimeout(timer);
  const draft = current();
  return draft.text === draft.saved ? "" : draft.text;
}

function flush() {
  clearTimeout(timer);
  if (!book) return;
  for (const kind of Object.keys(book.drafts)) save(book, kind, true);
}

async function save(mine, kind, leaving = false) {
  const draft = mine.drafts[kind];
  if (draft.text === draft.saved || draft.saving || draft.other) return;
  draft.saving = true;
  const sent = { text: draft.text, key: draft.key, number: draft.number };
  let again = false;
  try {
    const response = await fetch(mine.url, {
      method: "POST",
      headers: { "X-CSRFToken": csrfToken() },
      body: new URLSearchParams({ ...sent, kind }),
      keepalive: leaving && sent.text.length * 3 < KEEPALIVE_MOST,
      signal: leaving ? undefined : AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 200) kept(mine, kind, sent, await response.json());
    else if (response.status === 409) changed(mine, kind, sent, await response.json());
    again = response.status >= 500;
  } catch {
    again = true; // the line is down: the text stands in the page and is saved later
  }
  draft.saving = false;
  if (draft.text !== draft.saved && !draft.other && mine === book) {
    clearTimeout(timer);
    timer = setTimeout(save, again ? RETRY_MS : SAVE_AFTER_MS, mine, kind);
  }
}

function kept(mine, kind, sent, answer) {
  const draft = mine.drafts[kind];
  if (answer.number <= draft.number && draft.number !== sent.number) return; // sent meanwhile
  draft.number = answer.number;
  draft.key = answer.key;
  draft.saved = sent.text;
  if (mine === book && kind === "reply") emit("parts", { parts: answer.parts, text: sent.text });
}

/** Two tabs, one draft: the person decides which text stands. */
function changed(mine, kind, sent, other) {
  const draft = mine.drafts[kind];
  if (other.number <= draft.number) return; // our own message took it along meanwhile
  if (!other.text && mine === book && !draft.text) {
    Object.assign(draft, { key: other.key, number: other.number, saved: "" });
    return;
  }
  draft.other = other;
  if (mine === book) showConflict();
}

function showConflict() {
  const box = document.getElementById("draft-conflict");
  if (box) box.hidden = !current().other;
}

function decide(event) {
  const takes = event.target.closest("[data-take-theirs]");
  const keeps = event.target.closest("[data-keep-mine]");
  if (!takes && !keeps) return;
  const draft = current();
  const { other } = draft;
  draft.other = null;
  showConflict();
  if (!other) return;
  Object.assign(draft, { key: other.key, number: other.number, saved: other.text });
  if (takes) draft.text = other.text;
  emit("draft", { text: draft.text });
  document.querySelector("[data-composer] textarea")?.focus({ preventScroll: true });
  if (keeps) remember(draft.text);
}
