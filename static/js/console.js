// Starts what the page has. Each module binds to data- attributes and does nothing where they lack.
import { startAlerts } from "./alerts.js";
import { startAttachments } from "./attachments.js";
import { startClock } from "./clock.js";
import { startComposer } from "./composer.js";
import { startCopying } from "./copy.js";
import { startDialogs } from "./dialogs.js";
import { startExchange } from "./exchange.js";
import { startLine } from "./line.js";
import { startList } from "./list.js";
import { startMedia } from "./media.js";
import { startMenus } from "./menus.js";
import { startThread } from "./thread.js";

startClock();
startMenus();
startDialogs();
startCopying();
startThread();
startMedia();
startList();
startAlerts();
startComposer();
startAttachments();
startExchange();
startLine();
