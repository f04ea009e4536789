// What the websocket brings with its content. A page that has the numbers before a frame draws it and
// asks nobody; any other page asks what changed, as after a gap.
import { seenAccount } from "../composer/seen_account.js";
import { isFetching, take } from "./news.js";
import { openConversation, shownList } from "./shown.js";
import { follows, hear, parse } from "./streams.js";
import { draw, isOurs, read } from "./upsert.js";

/**
 * @typedef {object} Frame
 * @property {Record<string, number>} from the numbers that a page must have
 * @property {string | null} list the list that its rows are for; null: it has none
 * @property {string[]} [conversations] changed, without what a page shows that has one of them open
 * @property {string} [open] the conversation whose changes it brings
 * @property {string} [account] the account that this page's Send button names
 * @property {string} html
 */

/**
 * Draw a frame if it fits this page. Returns whether the page must ask instead.
 * @param {Frame} frame
 */
export function takeFrame(frame) {
  const root = read(frame.html);
  const isBehind = hear(parse(root.dataset.streams));
  if (!isBehind) return false;
  if (isFetching() || !fits(frame) || !isOurs(root)) return true;
  if (frame.conversations) drawBeside(root);
  else take(root);
  return false;
}

/** It says of the open conversation that nothing changed there. */
function drawBeside(root) {
  if (openConversation()) root.dataset.open = openConversation();
  draw(root);
}

/** @param {Frame} frame */
function fits({ from, list, conversations, open, account }) {
  const shown = document.getElementById("list-pane") ? shownList() : null;
  if (list !== shown || !follows(from)) return false;
  if (conversations) return !conversations.includes(openConversation());
  return open === openConversation() && account === seenAccount();
}
