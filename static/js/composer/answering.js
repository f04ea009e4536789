// Which account this person last saw on the Send button. Where the next reply would go from another
// one the composer says so, in every tab and after a reload, until it is sent or put away.
import { send } from "../live/exchange.js";
import { fetchNews } from "../live/news.js";
import { announce } from "../page/texts.js";

const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("answering");

let open = "";
let seen = "";
let asked = "";
let said = "";

export function startAnswering() {
  for (const name of ["opened", "drawn"]) document.addEventListener(`console:${name}`, show);
  document.addEventListener("console:answered", broughtBack);
  document.addEventListener("console:went", ({ detail: { one } }) => {
    if (one.kind === "reply" && one.conversation === open) see();
  });
  document.addEventListener("click", (event) => event.target.closest("[data-account-seen]") && putAway());
  tabs?.addEventListener("message", ({ data }) => data.place === place() && take(data.account));
  show();
}

/** The key of the account; "" where nothing is answered here. */
export function seenAccount() {
  const part = composer();
  const conversation = part?.closest("form").dataset.composer ?? "";
  if (conversation !== open) {
    open = conversation;
    seen = part ? before(part) : "";
    if (part) keep();
  }
  return seen;
}

function composer() {
  return document.querySelector("[data-composer] #answering");
}

function place() {
  return `account ${document.body.dataset.user} ${open}`;
}

/** The draft knows best; but the server may not have heard yet what was put away in this tab. */
function before(part) {
  const { drafted } = part.closest("form").dataset;
  const { account, instead } = kept();
  return drafted && drafted !== instead ? drafted : account || part.dataset.known;
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(place()) ?? "{}");
  } catch {
    return {}; // forbidden: then a reload forgets what was seen without a draft
  }
}

function keep(instead = "") {
  try {
    sessionStorage.setItem(place(), JSON.stringify({ account: seen, instead }));
  } catch {
    // no room, or forbidden
  }
}

/** The notice stands exactly while the button names another account than was seen. */
function show() {
  const part = composer();
  const known = seenAccount();
  if (!part) return;
  const { account } = part.dataset;
  const notice = part.querySelector("[data-account-notice]");
  const differs = Boolean(account && known && account !== known);
  if (notice) notice.hidden = !differs;
  const change = `${open} ${known} ${account}`;
  if (differs && notice && said !== change) {
    said = change;
    announce(notice.querySelector("p").textContent);
  } else if (differs && !notice && asked !== change) {
    asked = change; // drawn for somebody who had seen this one
    fetchNews();
  }
}

function take(account) {
  const instead = seenAccount();
  if (!account || account === instead) return;
  seen = account;
  keep(instead);
  show();
}

/** The reply went, or the person says that it may go from there. */
function see() {
  const account = composer()?.dataset.account;
  take(account);
  if (account) tabs?.postMessage({ place: place(), account });
}

function putAway() {
  see();
  const form = document.querySelector("[data-composer]");
  form.elements.text.focus({ preventScroll: true });
  send(form.dataset.seenUrl, {
    body: new URLSearchParams({ account: seen }),
    keepalive: true,
  }).catch(() => {}); // this tab remembers it anyway
}

/** A reply taken back was meant for the account that it waited for. */
function broughtBack({ detail }) {
  take(detail.root.dataset.draftAccount);
}
