// Between htmx and the page: what it posts carries the page's numbers, what it gets is drawn.
import { newest, wantNews } from "./news.js";
import { since } from "./streams.js";
import { text } from "./texts.js";
import { draw, emit, read } from "./upsert.js";

export function startExchange() {
  document.addEventListener("htmx:configRequest", (event) => {
    const { headers } = event.detail;
    headers["Live-Since"] = since();
    headers["Live-Open"] = openConversation();
    headers["Live-Login"] = openLogin();
  });
  document.addEventListener("htmx:beforeSwap", beforeSwap);
  document.addEventListener("htmx:afterSettle", () => emit("settled", {}));
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);
}

export function openConversation() {
  return document.getElementById("thread")?.dataset.conversation ?? "";
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

function failed(event) {
  const { xhr, requestConfig } = event.detail;
  const refused = xhr?.status === 403;
  const words = text(!xhr?.status ? "not_reached" : refused ? "not_allowed" : "went_wrong");
  emit("failed", { elt: requestConfig.elt, words });
}
