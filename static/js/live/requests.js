// Posts of the page's own, and what a refusal means. What is needed only then comes with the first one.
import { emit, on } from "../events.js";
import { text } from "../page/texts.js";
import { csrfToken } from "./token.js";

/** The header of every refusal by the console itself: a proxy before it sends none. */
export const REFUSAL = "WeiLink-Refusal";
/**
 * Every answer to a browser without the token's cookie sets a new one. Several such answers may cross: a
 * token that was renewed after one is stale with the next. The pause before each renewal lets them come.
 */
const RENEWAL_PAUSES_MS = [0, 100, 400, 1_500];
export const MOST_RENEWALS = RENEWAL_PAUSES_MS.length;
const MAY_WORK_LATER = [408, 425, 429];

let isOver = false;

export function startRequests() {
  on("signed-out", () => {
    isOver = true;
  });
  on("renewed", () => {
    isOver = false;
  });
}

/** Nobody is signed in by now, or somebody else. */
export function isSignedOut() {
  return isOver;
}

/**
 * `fetch`, for posts. One that is refused for its token is tried again with a new one. Once nobody is
 * signed in only what a person asks for (`isAsked`) is tried.
 * @param {string} url
 * @param {RequestInit & { isAsked?: boolean }} options
 */
export async function send(url, { isAsked, headers, ...options }) {
  if (isOver && !isAsked) return new Response(null, { status: 401 });
  const once = () => fetch(url, { method: "POST", headers: { ...headers, "X-CSRFToken": csrfToken() }, ...options });
  const response = await once();
  if (isSignIn(response.url)) emit("signed-out");
  else if (isOver && response.ok) emit("renewed");
  else if (staleOne(response)) return renewedOne(response, once);
  return response;
}

async function renewedOne(refused, once) {
  let response = refused;
  for (let tries = 0; tries < MOST_RENEWALS; tries += 1) {
    await pauseBefore(tries);
    if (!(await renew())) return response;
    response = await once();
    if (!staleOne(response)) {
      emit("renewed");
      return response;
    }
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

/** `tries`: how many renewals the same request has had. */
export function pauseBefore(tries) {
  return new Promise((resolve) => {
    setTimeout(resolve, RENEWAL_PAUSES_MS[tries]);
  });
}

/**
 * Why something was refused.
 * @param {number} status
 * @param {string | null} [refusal] the header that only the console itself sends
 * @param {"upload" | "draft" | ""} [what]
 */
export async function wordsFor(status, refusal, what) {
  if (!status) return text("not_reached");
  if (status >= 500) return text("went_wrong");
  try {
    return await (await import("./refused.js")).wordsFor(status, refusal, what);
  } catch {
    return text("went_wrong");
  }
}

export function isSignIn(url) {
  return new URL(url, location.href).pathname === document.body.dataset.login;
}
