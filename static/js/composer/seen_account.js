// Which account this person last saw on the Send button: known to all their tabs, and after a reload.
const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("answering");

let open = "";
let seen = "";

/** The key of the account; "" where nothing is answered here. */
export function seenAccount() {
  const part = accountPart();
  const conversation = part?.closest("form").dataset.composer ?? "";
  if (conversation !== open) {
    open = conversation;
    seen = part ? before(part) : "";
    if (part) keep();
  }
  return seen;
}

/** The conversation that it was seen in. */
export function answeredConversation() {
  return open;
}

/** The composer's part that names the account of the next reply. */
export function accountPart() {
  return document.querySelector("[data-composer] #answering");
}

/** Whether it is another one than before. */
export function see(account) {
  const instead = seenAccount();
  if (!account || account === instead) return false;
  seen = account;
  keep(instead);
  return true;
}

export function tellTabs(account) {
  tabs?.postMessage({ place: place(), account });
}

/** What another tab of this person saw in the same conversation. */
export function onTold(listener) {
  tabs?.addEventListener("message", ({ data }) => data.place === place() && listener(data.account));
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
