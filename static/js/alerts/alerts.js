// What a new message does besides being there: the count in the title and the favicon, a word to
// screen readers, a sound, a notification. The server says who wrote (`data-heard`), whatever list
// is on the screen. Nothing for the conversation in view, nothing twice.
import { on } from "../events.js";
import { announce, counted, text } from "../page/texts.js";
import { notify } from "./notices.js";
import { play, startSound } from "./sound.js";
import { isViewed, startViewing } from "./viewing.js";

const ELSEWHERE_MS = 10_000;

let newest = Number(document.body.dataset.newestMessage) || 0;
let elsewhere = 0;
let elsewhereTimer = 0;

export function startAlerts() {
  setCount(document.body.dataset.waiting);
  startSound();
  startViewing();
  on("drawn", hear);
  on("counted", (detail) => setCount(detail.waiting));
  on("opened", (detail) => rename(detail.conversation));
  on("settled", () => rename(document.querySelector("#conversation-pane [data-title]")));
}

function hear({ root, isPage }) {
  if (isPage) return;
  if (root.dataset.waiting !== undefined) setCount(root.dataset.waiting);
  if (root.dataset.open === document.getElementById("open-conversation")?.dataset.conversation) rename(root);
  const heard = [...root.querySelectorAll("[data-heard]")].map(told).filter((one) => one.id > newest);
  for (const one of heard) {
    newest = Math.max(newest, one.id);
    speak(one);
  }
  if (heard.length) tell(heard);
}

function told(element) {
  const { heard, conversation, who, session, url } = element.dataset;
  return {
    id: Number(heard),
    conversation,
    who,
    session,
    url,
    text: element.dataset.text,
    isMine: element.dataset.assignee === document.body.dataset.user,
  };
}

async function tell(heard) {
  const unseen = [];
  for (const one of heard) if (!(await isViewed(one.conversation))) unseen.push(one);
  const loud = unseen.filter((one) => isWanted(one, "tellsSound"));
  if (loud.length) play(loud.at(-1).id);
  for (const one of unseen) if (isWanted(one, "tellsNotifications")) await notify(one);
}

/** The reader's choice: mine, all, none. */
function isWanted(one, choice) {
  const wanted = document.body.dataset[choice];
  return wanted === "all" || (wanted === "mine" && one.isMine);
}

function speak(one) {
  if (one.conversation === document.getElementById("open-conversation")?.dataset.conversation) {
    announce(text("heard", one));
    return;
  }
  elsewhere += 1;
  if (elsewhereTimer) return;
  elsewhereTimer = setTimeout(() => {
    announce(counted("heard_elsewhere", elsewhere));
    elsewhere = 0;
    elsewhereTimer = 0;
  }, ELSEWHERE_MS);
}

/** How many conversations wait for this reader ("": none): before the title, and as a mark on the icon. */
function setCount(count) {
  const bare = document.title.replace(/^\(\d+\+?\)\s*/, "");
  const title = count ? `(${count}) ${bare}` : bare;
  if (document.title !== title) document.title = title;
  const icon = document.querySelector('link[rel="icon"]');
  const wanted = count ? icon.dataset.marked : icon.dataset.plain;
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
}

function rename(element) {
  if (!element?.dataset.title) return;
  const count = document.title.match(/^\(\d+\+?\)\s*/)?.[0] ?? "";
  document.title = `${count}${element.dataset.title} · WeiLink`;
}
