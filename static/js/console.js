// Starts what the page has. Each module binds to data- attributes and does nothing where they lack.

import { startAlerts } from "./alerts/alerts.js";
import { startNotices } from "./alerts/notices.js";
import { startAnswering } from "./composer/answering.js";
import { startAttachments } from "./composer/attachments.js";
import { startComposer } from "./composer/composer.js";
import { startDraftConflict } from "./composer/draft_conflict.js";
import { startBubbles } from "./conversation/bubbles.js";
import { startConversation } from "./conversation/conversation.js";
import { startJumps } from "./conversation/jump.js";
import { startPresence } from "./conversation/presence.js";
import { startSendings } from "./conversation/sendings.js";
import { startUndo } from "./conversation/undo.js";
import { on } from "./events.js";
import { startList } from "./inbox/list.js";
import { startProgress } from "./inbox/progress.js";
import { startSelection } from "./inbox/selection.js";
import { startWalking } from "./inbox/walking.js";
import { startFocus } from "./keyboard/focus.js";
import { startKeys } from "./keyboard/keys.js";
import { startPalette } from "./keyboard/palette.js";
import { startTypeahead } from "./keyboard/typeahead.js";
import { startConnection } from "./live/connection.js";
import { startExchange } from "./live/exchange.js";
import { startRequests } from "./live/requests.js";
import { startMedia } from "./media/media.js";
import { startBanners } from "./page/banners.js";
import { startClock } from "./page/clock.js";
import { startCopying } from "./page/copy.js";
import { startDialogs } from "./page/dialogs.js";
import { startLinks } from "./page/links.js";
import { startMenus } from "./page/menus.js";
import { startRail } from "./page/rail.js";
import { startToasts } from "./page/toasts.js";

startRail();
startClock();
startLinks();
startMenus();
startDialogs();
startCopying();
startJumps();
startSendings();
startDraftConflict();
startComposer();
startAttachments();
startUndo();
startToasts();
document.addEventListener("click", loadEmoji);
fillKept();
on("opened", fillKept);
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
startRequests();
startExchange();
startAnswering();
startConnection();
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
    (await import("./composer/emoji.js")).startEmoji(button);
  } catch {
    document.addEventListener("click", loadEmoji); // the line is down: the next press asks again
  }
}

/** And the list of colleagues with the first “@”. */
async function loadMentions({ target }) {
  if (!target.matches?.("[data-composer] textarea") || !target.value.includes("@")) return;
  document.removeEventListener("input", loadMentions);
  try {
    (await import("./composer/mentions.js")).startMentions();
  } catch {
    document.addEventListener("input", loadMentions);
  }
}

/** What was typed and can no longer be sent from here. */
function fillKept() {
  if (document.querySelector("[data-kept]"))
    import("./conversation/parting.js").then(({ fill }) => fill()).catch(() => {});
}
