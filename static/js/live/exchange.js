// Between htmx and the page: what it posts carries the page's numbers, what it gets is drawn.
import { seenAccount } from "../composer/answering.js";
import { newest, wantNews } from "./news.js";
import { since } from "./streams.js";
import { text } from "../page/texts.js";
import { draw, emit, isOurs, read } from "./upsert.js";

const TIMEOUT_MS = 20_000;
const KEEPALIVE_MOST = 60_000;
/** The header of every refusal by the console itself: a proxy before it sends none. */
export const REFUSAL = "WeiLink-Refusal";
const MAY_WORK_LATER = [408, 425, 429];

let isOver = false;

export function startExchange() {
  document.addEventListener("htmx:configRequest", (event) => Object.assign(event.detail.headers, numbers()));
  document.addEventListener("htmx:beforeOnLoad", repeatStale);
  document.addEventListener("htmx:beforeSwap", beforeSwap);
  document.addEventListener("htmx:afterSettle", () => emit("settled", {}));
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("console:signed-out", () => {
    isOver = true;
  });
  document.addEventListener("console:renewed", () => {
    isOver = false;
  });
}

/** What the page has and shows: an answer says what changed since. */
function numbers() {
  return {
    "Live-Since": since(),
    "Live-Open": openConversation(),
    "Live-Login": openLogin(),
    "Live-Account": seenAccount(),
    "Live-List": document.getElementById("list-pane")?.dataset.list ?? "",
  };
}

/**
 * `fetch`, for posts. One that is refused for its token goes once more with a new one. Once nobody is
 * signed in only what a person asks for (`isAsked`) is tried.
 */
export async function send(url, { isAsked, headers, ...options }) {
  if (isOver && !isAsked) return new Response(null, { status: 401 });
  const once = () => fetch(url, { method: "POST", headers: { ...headers, "X-CSRFToken": csrfToken() }, ...options });
  const response = await once();
  if (isSignIn(response.url)) emit("signed-out", {});
  else if (isOver && response.ok) emit("renewed", {});
  else if (staleOne(response) && (await renew())) {
    const again = await once();
    if (!staleOne(again)) emit("renewed", {});
    return again;
  }
  return response;
}

function staleOne({ status, headers }) {
  return isStale(status, headers.get(REFUSAL));
}

/** Refused, and will be however often it is tried. */
export function isFinal({ status, url }) {
  return (status >= 400 && status < 500 && !MAY_WORK_LATER.includes(status)) || isSignIn(url);
}

export function isStale(status, refusal) {
  return status === 403 && refusal === "token";
}

export async function renew() {
  try {
    return await (await import("./refused.js")).renew();
  } catch {
    return false;
  }
}

/** Why something was refused; `refusal`: the header that only the console itself sends. */
export async function wordsFor(status, refusal, what) {
  if (!status) return text("not_reached");
  if (status >= 500) return text("went_wrong");
  try {
    return await (await import("./refused.js")).wordsFor(status, refusal, what);
  } catch {
    return text("went_wrong");
  }
}

/**
 * Post without htmx. `isGood`: done, with `root` to be drawn or an address to go `to`. Otherwise
 * `words` or the page's own `html` say why; `isUnsure`: it may have been done all the same. What is
 * small goes on when the page is left.
 */
export async function ask(url, values) {
  const body = String(values);
  try {
    const response = await send(url, {
      isAsked: true,
      headers: { ...numbers(), "HX-Request": "true" },
      body: values,
      keepalive: body.length < KEEPALIVE_MOST,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (isSignIn(response.url)) return { isGood: false, words: text("signed_out") };
    const html = await response.text();
    if (response.ok) {
      const { headers } = response;
      return { isGood: true, root: read(html), to: headers.get("HX-Redirect"), said: headers.get("HX-Trigger") };
    }
    const refusal = response.headers.get(REFUSAL);
    if (response.status === 422 && refusal) return { isGood: false, html, words: text("went_wrong") };
    return { isGood: false, isUnsure: response.status >= 500, words: await wordsFor(response.status, refusal) };
  } catch {
    return { isGood: false, isUnsure: true, words: text("not_reached") };
  }
}

/** Draw what an answer of `ask` brought. */
export function take({ root, said }) {
  for (const [name, detail] of Object.entries(JSON.parse(said ?? "{}"))) {
    document.dispatchEvent(new CustomEvent(name, { detail }));
  }
  if (!root) return;
  newest(root);
  draw(root);
  wantNews();
}

export function openConversation() {
  return document.getElementById("open-conversation")?.dataset.conversation ?? "";
}

export function csrfToken() {
  return JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] ?? "";
}

export function openLogin() {
  return document.querySelector("[data-login-id]")?.dataset.loginId ?? "";
}

export function isSignIn(url) {
  return new URL(url, location.href).pathname === document.body.dataset.login;
}

function beforeSwap(event) {
  const { xhr, requestConfig } = event.detail;
  if (xhr.responseURL && isSignIn(xhr.responseURL)) {
    event.detail.shouldSwap = false;
    emit("signed-out", {});
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
  newest(root);
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
  const isSaid = isOver || elt.matches("body, [data-composer]");
  if (xhr?.status && verb === "post" && !isSaid) emit("said", { words });
}

/** Before htmx takes it for refused. Keys that wait for it go on waiting. */
async function repeatStale(event) {
  const { xhr, requestConfig } = event.detail;
  const isAgain = requestConfig.headers["Live-Again"];
  if (!isStale(xhr.status, xhr.getResponseHeader(REFUSAL))) {
    if (isAgain) emit("renewed", {});
    return;
  }
  if (isAgain) return;
  event.preventDefault();
  xhr.isRepeated = true;
  try {
    if (await (await import("./refused.js")).repeat(event.detail)) return;
  } catch { /* the line is down: it is refused */ }
  xhr.isRepeated = false;
  if (requestConfig.elt.isConnected) htmx.trigger(requestConfig.elt, "htmx:responseError", event.detail);
  else failed(event); // drawn away meanwhile: nobody would hear it there
}
