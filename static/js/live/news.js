// Fetches what changed since the page's numbers. One fetch at a time, at most one waiting.
import { seenAccount } from "../composer/seen_account.js";
import { emit } from "../events.js";
import { reloadAtRest } from "../keyboard/focus.js";
import { isSignIn, renew } from "./requests.js";
import { openConversation, openLogin } from "./shown.js";
import { behind, since } from "./streams.js";
import { draw, isOurs, read } from "./upsert.js";

const TIMEOUT_MS = 20_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

let running = false;
let waiting = false;
let failures = 0;
let retry = 0;

/** Ask for news if the page is behind. */
export function wantNews() {
  if (behind()) fetchNews();
}

/** What is drawn meanwhile may be later than its answer. */
export function isFetching() {
  return running;
}

export async function fetchNews({ everything = false } = {}) {
  if (!document.body.dataset.live) return;
  if (running) {
    waiting = true;
    return;
  }
  running = true;
  waiting = false;
  const good = await ask(everything);
  running = false;
  schedule(good);
}

function schedule(good) {
  clearTimeout(retry);
  if (good) {
    failures = 0;
    if (waiting || behind()) fetchNews();
    return;
  }
  const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
  failures += 1;
  retry = setTimeout(fetchNews, wait);
}

async function ask(everything) {
  try {
    const response = await fetch(address(everything), {
      headers: { "HX-Request": "true", "Live-Unasked": "1" },
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (isSignIn(response.url)) {
      emit("signed-out");
      return true;
    }
    if (!response.ok) return refused(response);
    const root = read(await response.text());
    if (!root) return false;
    if (!isOurs(root)) {
      renew(); // says who is signed in
      return false;
    }
    await take(root);
    return true;
  } catch {
    return false;
  }
}

/** The person may not see this page any more: let the server say so. */
function refused(response) {
  if (response.status === 403 || response.status === 404) reloadAtRest();
  return false;
}

/** Draw an answer or a frame. The person may have lost the open conversation, or the right to answer it. */
export async function take(root) {
  const { gone, open } = root.dataset;
  const isOpen = (gone ?? open) && openConversation() === (gone ?? open);
  if (isOpen && gone) (await import("../conversation/parting.js")).part(root);
  const mayAnswer = Boolean(document.querySelector("[data-composer]"));
  if ("reload" in root.dataset || (isOpen && open && mayAnswer !== "mayAnswer" in root.dataset)) {
    reloadAtRest();
    return;
  }
  draw(root);
}

function address(everything) {
  const url = new URL(document.body.dataset.live, location.href);
  if (!everything) url.searchParams.set("since", since());
  const list = document.getElementById("list-pane");
  if (list) url.searchParams.set("list", list.dataset.list);
  if (openConversation()) url.searchParams.set("open", openConversation());
  if (seenAccount()) url.searchParams.set("account", seenAccount());
  if (openLogin()) url.searchParams.set("login", openLogin());
  return url;
}
