// Where the next reply would go from another account than this person last saw on the Send button the
// composer says so, in every tab and after a reload, until it is sent or put away.
import { on } from "../events.js";
import { fetchNews } from "../live/news.js";
import { send } from "../live/requests.js";
import { announce } from "../page/texts.js";
import { field, form } from "./form.js";
import { accountPart, answeredConversation, onTold, see, seenAccount, tellTabs } from "./seen_account.js";

let asked = "";
let said = "";

export function startAnswering() {
  on("opened", show);
  on("drawn", show);
  on("answered", ({ root }) => take(root.dataset.draftAccount)); // taken back: meant for its own account
  on("went", ({ one }) => {
    if (one.kind === "reply" && one.conversation === answeredConversation()) seeThis();
  });
  document.addEventListener("click", (event) => event.target.closest("[data-account-seen]") && putAway());
  onTold(take);
  show();
}

/** The notice stands exactly while the button names another account than was seen. */
function show() {
  const part = accountPart();
  const known = seenAccount();
  if (!part) return;
  const { account } = part.dataset;
  const notice = part.querySelector("[data-account-notice]");
  const differs = Boolean(account && known && account !== known);
  if (notice) notice.hidden = !differs;
  const change = `${answeredConversation()} ${known} ${account}`;
  if (differs && notice && said !== change) {
    said = change;
    announce(notice.querySelector("p").textContent);
  } else if (differs && !notice && asked !== change) {
    asked = change; // drawn for somebody who had seen this one
    fetchNews();
  }
}

function take(account) {
  if (see(account)) show();
}

/** The reply went, or the person says that it may go from there. */
function seeThis() {
  const account = accountPart()?.dataset.account;
  take(account);
  if (account) tellTabs(account);
}

function putAway() {
  seeThis();
  field().focus({ preventScroll: true });
  send(form().dataset.seenUrl, {
    body: new URLSearchParams({ account: seenAccount() }),
    keepalive: true,
  }).catch(() => {}); // this tab remembers it anyway
}
