// Which conversation is open and which comes next: by `j` and `k`, and once the open one is resolved.

import { mustAnswerFirst } from "../composer/asking.js";
import { settled } from "../composer/posts.js";
import { on } from "../events.js";
import { arrived, awaited, failed, isAwaited, onAccountOf, refuse, waitFor } from "../keyboard/typeahead.js";
import { ask } from "../live/ask.js";
import { take } from "../live/exchange.js";
import { openConversation } from "../live/shown.js";
import { text } from "../page/texts.js";

// What stood around the open row when it was last in its list: it may leave while it is answered.
let around = { id: "", after: [], before: [] };

export function startWalking() {
  on("settled", note);
  on("drawn", note);
  on("placed", note);
  document.addEventListener("click", resolves, true);
  note();
}

function rows() {
  return [...document.querySelectorAll("#conversation-rows > li.conversation")];
}

function linkOf(row) {
  return row?.querySelector(":scope > a[href]");
}

export function openRowLink() {
  return linkOf(document.getElementById(`conversation-${openConversation()}`));
}

function idOfOpen() {
  return `conversation-${openConversation()}`;
}

function note() {
  const ids = rows().map((row) => row.id);
  const at = ids.indexOf(idOfOpen());
  if (at >= 0) around = { id: ids[at], after: ids.slice(at + 1), before: ids.slice(0, at).reverse() };
}

/** The conversation after or before the open one, or the one that is being opened. */
export function walk(step) {
  const all = rows();
  // One that was asked for and is not drawn yet counts: keys may come faster than answers.
  const from = awaited()?.row || idOfOpen();
  const at = all.findIndex((row) => row.id === from);
  const next = at < 0 ? besideTheLost(step) : all[at + step];
  if (!next) return false;
  openRow(next);
  return true;
}

/** The open one left its list: what followed it, or stood before it. */
function besideTheLost(step) {
  if (around.id !== idOfOpen()) return rows()[0];
  const there = (ids) => ids.map((id) => document.getElementById(id)).find(Boolean);
  return step > 0 ? (there(around.after) ?? there(around.before)) : there(around.before);
}

/** The focus goes to the row, the conversation follows it. */
export function openRow(row, isWanted = true) {
  const link = linkOf(row);
  if (isWanted) link.focus();
  link.click();
}

/** The rows to go on with, best first: those that follow the open one now, then those before it. */
export function following() {
  note();
  if (around.id === idOfOpen()) return [...around.after, ...around.before];
  return rows()
    .map((row) => row.id)
    .filter((id) => id !== idOfOpen());
}

/** Opens the first of them that is still there; with none, the list alone. */
export function openFirst(ids, one) {
  if (!isAwaited(one)) return; // the person went elsewhere meanwhile
  const next = ids.map((id) => document.getElementById(id)).find((row) => row && !row.matches(".is-leaving"));
  onAccountOf(one, () => {
    if (next) openRow(next, one.still());
    else document.querySelector(".conversation-head .back")?.click();
  });
  if (isAwaited(one)) arrived(one); // nothing was asked for
}

/** Before htmx hears the click: what it would post must wait for the reply that is on its way. */
function resolves(event) {
  if (!event.target.closest?.("[data-then-next]")) return;
  event.preventDefault();
  event.stopPropagation();
  resolveAndNext();
}

/** Resolve the open conversation, after what is being sent there, and open the one that follows it. */
export function resolveAndNext() {
  const form = document.getElementById("head-actions");
  if (!form) return false;
  if (mustAnswerFirst()) refuse(text("answer_first"));
  else resolveThis(form, waitFor());
  return true;
}

async function resolveThis(form, one) {
  const ids = following();
  const isResolved = !form.querySelector("[data-then-next]");
  const { action } = form;
  const values = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  if (!(await settled(openConversation()))) return failed(one, text("not_resolved"));
  if (!isResolved) {
    const answer = await ask(action, values);
    if (answer.to) return location.assign(answer.to);
    if (!answer.isGood) return failed(one, answer.words);
    take(answer);
  }
  return openFirst(ids, one);
}
