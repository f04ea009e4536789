// Between htmx and the page: what it posts carries the page's numbers, what it gets is drawn.
import { emit } from "../events.js";
import { numbers } from "./ask.js";
import { wantNews } from "./news.js";
import { isSignedOut, isSignIn, isStale, MOST_RENEWALS, pauseBefore, REFUSAL, renew, wordsFor } from "./requests.js";
import { draw, isOurs, read } from "./upsert.js";

export function startExchange() {
  document.addEventListener("htmx:configRequest", (event) => Object.assign(event.detail.headers, numbers()));
  document.addEventListener("htmx:beforeOnLoad", repeatStale);
  document.addEventListener("htmx:beforeSwap", beforeSwap);
  document.addEventListener("htmx:afterSettle", () => emit("settled"));
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);
}

/**
 * Draw what an answer of `ask` brought.
 * @param {import("../events.js").Answer} answer
 */
export function take({ root, said }) {
  for (const [name, detail] of Object.entries(JSON.parse(said ?? "{}"))) {
    document.dispatchEvent(new CustomEvent(name, { detail }));
  }
  if (!root) return;
  draw(root);
  wantNews();
}

function beforeSwap(event) {
  const { xhr, requestConfig } = event.detail;
  if (xhr.responseURL && isSignIn(xhr.responseURL)) {
    event.detail.shouldSwap = false;
    emit("signed-out");
    return;
  }
  const root = xhr.status < 300 ? read(xhr.responseText) : null;
  if (!root) return;
  event.detail.shouldSwap = false;
  if (!isOurs(root)) {
    renew();
    return;
  }
  const { elt } = requestConfig;
  const inPlace = letGo(elt);
  draw(root);
  if (inPlace) document.querySelector(`#${elt.id} a`)?.focus({ preventScroll: true });
  emit("answered", { elt, root });
  wantNews();
}

/** A form that was answered is done with: what it stood for may be drawn over it. */
function letGo(elt) {
  const inPlace = elt.matches("form.name-form") && elt.contains(document.activeElement);
  if (inPlace) document.activeElement.blur();
  return inPlace;
}

async function failed({ detail: { xhr, requestConfig } }) {
  const words = await wordsFor(xhr?.status, xhr?.getResponseHeader(REFUSAL));
  const { elt, verb } = requestConfig;
  emit("failed", { elt, words });
  const isSaid = isSignedOut() || elt.matches("body, [data-composer]");
  if (xhr?.status && verb === "post" && !isSaid) emit("said", { words });
}

/** Before htmx takes it for refused. Keys that wait for it go on waiting. */
async function repeatStale(event) {
  const { xhr, requestConfig } = event.detail;
  const tries = Number(requestConfig.headers["Live-Again"] ?? 0);
  if (!isStale(xhr.status, xhr.getResponseHeader(REFUSAL))) {
    if (tries) emit("renewed");
    return;
  }
  if (tries >= MOST_RENEWALS) return;
  event.preventDefault();
  xhr.isRepeated = true;
  try {
    await pauseBefore(tries);
    if (await (await import("./refused.js")).repeat(event.detail)) return;
  } catch {
    // the line is down: it is refused
  }
  xhr.isRepeated = false;
  if (requestConfig.elt.isConnected) htmx.trigger(requestConfig.elt, "htmx:responseError", event.detail);
  else failed(event); // drawn away meanwhile: nobody would hear it there
}
