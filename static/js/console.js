// Starts what the page has. Each module binds to data- attributes and does nothing where they lack.
import { startAlerts } from "./alerts.js";
import { startAnswering } from "./answering.js";
import { startAttachments } from "./attachments.js";
import { startBanners } from "./banners.js";
import { startBubbles } from "./bubbles.js";
import { startClock } from "./clock.js";
import { startComposer } from "./composer.js";
import { startCopying } from "./copy.js";
import { startDialogs } from "./dialogs.js";
import { startExchange } from "./exchange.js";
import { startJumps } from "./jump.js";
import { startFocus } from "./focus.js";
import { startKeys } from "./keys.js";
import { startLine } from "./line.js";
import { startLinks } from "./links.js";
import { startList } from "./list.js";
import { startMedia } from "./media.js";
import { startMenus } from "./menus.js";
import { startNotices } from "./notices.js";
import { startPresence } from "./presence.js";
import { startPalette } from "./palette.js";
import { startRail } from "./rail.js";
import { startProgress } from "./progress.js";
import { startSelection } from "./selection.js";
import { startSendings } from "./sendings.js";
import { startConversation } from "./conversation.js";
import { startToasts } from "./toasts.js";
import { startTypeahead } from "./typeahead.js";
import { startUndo } from "./undo.js";
import { startWalking } from "./walking.js";

startRail();
startClock();
startLinks();
startMenus();
startDialogs();
startCopying();
startJumps();
startSendings();
startComposer();
startAttachments();
startUndo();
startToasts();
document.addEventListener("click", loadEmoji);
fillKept();
document.addEventListener("console:opened", fillKept);
document.addEventListener("input", loadMentions);
startPresence();
startConversation();
startBubbles();
startMedia();
startList();
startSelection();
startAlerts();
startNotices();
startBanners();
startExchange();
startAnswering();
startLine();
startPalette();
startFocus();
startWalking();
startKeys();
// After the list, whose marks it sets anew while a conversation is on its way.
startProgress();
// Last: what is asked for is there once all others have taken it in.
startTypeahead();

/** The picker's module comes with the first press of its button. */
async function loadEmoji({ target }) {
  const button = target.closest("[data-emoji]");
  if (!button) return;
  document.removeEventListener("click", loadEmoji);
  try {
    (await import("./emoji.js")).startEmoji(button);
  } catch {
    document.addEventListener("click", loadEmoji); // the line is down: the next press asks again
  }
}

/** And the list of colleagues with the first “@”. */
async function loadMentions({ target }) {
  if (!target.matches?.("[data-composer] textarea") || !target.value.includes("@")) return;
  document.removeEventListener("input", loadMentions);
  try {
    (await import("./mentions.js")).startMentions();
  } catch {
    document.addEventListener("input", loadMentions);
  }
}

/** What was typed and can no longer be sent from here. */
function fillKept() {
  if (document.querySelector("[data-kept]")) import("./parting.js").then(({ fill }) => fill()).catch(() => {});
}
