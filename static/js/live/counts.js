// The numbers in the navigation and above the list, and how many conversations wait, as they are told.
import { emit } from "../events.js";
import { shownList } from "./shown.js";

/**
 * @typedef {object} Counts
 * @property {Record<string, string>} views the number of each view, "" for none
 * @property {boolean} unread
 * @property {string} waiting
 * @property {string} [list] the list that is `length` long
 * @property {string} [length] as the page shows it
 */

/** @param {Counts} counts */
export function drawCounts({ views, unread, waiting, list, length }) {
  for (const [view, words] of Object.entries(views)) {
    const count = document.querySelector(`#rail-view-${view} .count`);
    if (count && count.textContent !== words) count.textContent = words;
  }
  const dot = document.getElementById("rail-unread");
  if (dot) dot.hidden = !unread;
  if (length !== undefined && list === shownList()) drawLength(length);
  emit("counted", { waiting });
}

function drawLength(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const [fresh, shown] = [template.content.firstElementChild, document.getElementById("list-count")];
  if (fresh && shown && fresh.textContent !== shown.textContent) shown.replaceWith(fresh);
}
