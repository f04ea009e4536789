// Says over the websocket what this page shows, so that its frames bring what belongs there.
import { seenAccount } from "../composer/seen_account.js";
import { on } from "../events.js";
import { openConversation, shownList } from "./shown.js";

let said = "";

/**
 * Say it now and whenever it changes.
 * @param {(text: string) => void} send to the open websocket
 */
export function startShowing(send) {
  const say = () => {
    const words = shown();
    if (words === said) return;
    said = words;
    send(words);
  };
  on("welcome", () => {
    said = "";
    say();
  });
  for (const name of /** @type {const} */ (["opened", "settled", "drawn"])) on(name, say);
}

function shown() {
  const { frames, zone } = document.body.dataset;
  return JSON.stringify({
    type: "showing",
    kind: document.getElementById("list-pane") ? "inbox" : (frames ?? ""),
    list: shownList(),
    open: openConversation(),
    account: seenAccount(),
    language: document.documentElement.lang,
    zone: zone ?? "",
  });
}
