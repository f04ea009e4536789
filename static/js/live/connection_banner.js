// The banner over the page: the connection is lost, or nobody is signed in any more.
import { announce, text } from "../page/texts.js";

function banner() {
  return document.getElementById("line-banner");
}

/**
 * `away`: what the console itself cannot reach, "database" or "hints".
 * @param {{ isDown: boolean, away: string[] }} state
 */
export function showConnection({ isDown, away }) {
  let words = "";
  if (!navigator.onLine) words = text("offline");
  else if (isDown) words = text("line_down");
  else if (away.includes("database")) words = text("database_away");
  else if (away.includes("hints")) words = text("hints_away");
  if (banner().textContent === words) return;
  banner().textContent = words;
  announce(words);
}

/**
 * `words` and `link` where somebody else is signed in: then the page is loaded anew.
 * Whether it was not said before.
 * @param {{ words?: string, link?: string }} why
 */
export function showSignedOut({ words = signedOutWords(), link: way }) {
  if (banner().textContent.startsWith(words)) return false;
  const link = document.createElement("a");
  const here = location.pathname + location.search;
  link.href = way ? here : `${document.body.dataset.login}?next=${encodeURIComponent(location.pathname)}`;
  link.textContent = way ?? text("sign_in");
  banner().replaceChildren(`${words} `, link);
  announce(words);
  return true;
}

export function clearBanner() {
  banner().replaceChildren();
}

function signedOutWords() {
  return text("signed_out") + (document.querySelector("[data-composer]") ? ` ${text("text_kept")}` : "");
}
