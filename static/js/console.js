// Starts what the page has. Each module binds to data- attributes and does nothing where they lack.
import { startAlerts } from "./alerts.js";
import { startBanners } from "./banners.js";
import { startClock } from "./clock.js";
import { startComposer } from "./composer.js";
import { startCopying } from "./copy.js";
import { startDialogs } from "./dialogs.js";
import { startExchange } from "./exchange.js";
import { startKeys } from "./keys.js";
import { startLine } from "./line.js";
import { startList } from "./list.js";
import { startMedia } from "./media.js";
import { startMenus } from "./menus.js";
import { startNotices } from "./notices.js";
import { startPalette } from "./palette.js";
import { startThread } from "./thread.js";

startClock();
startMenus();
startDialogs();
startCopying();
startThread();
startMedia();
startList();
startAlerts();
startNotices();
startBanners();
startComposer();
startExchange();
startLine();
startPalette();
// After the composer: keys that walk the list keep the focus there.
startKeys();
