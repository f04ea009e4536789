// Loaded when something was refused. A token that went stale is renewed where the same person is still
// signed in; where somebody else is, or nobody, the page says so once. Why a refusal is final is said in
// the reader's language; one that lacks the console's header came from a proxy before it.
import { emit } from "../events.js";
import { text } from "../page/texts.js";
import { csrfToken, setToken } from "./token.js";

const TIMEOUT_MS = 10_000;
const TYPED = "form:not([data-composer]) textarea, form:not([data-composer]) input:is([type=text], :not([type]))";

let renewing = null;

/**
 * A new token in the page: whether it may be tried again. Asked for once, however many wait for it.
 * Who tried again says `renewed` once it was taken: the token may not be why it was refused.
 */
export function renew() {
  renewing ??= renewed().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function renewed() {
  const now = await standing();
  if (!now) return false;
  if (now.isOut) emit("signed-out");
  else if (String(now.user) !== document.body.dataset.user) {
    const words = now.words[hasTyped() ? "another_person_typed" : "another_person"];
    emit("signed-out", { words, link: now.words.reload });
  } else {
    setToken(now.token);
    return true;
  }
  return false;
}

/** Who is signed in now, with which token, and the words for refusals. */
async function standing() {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    // Not followed: the login page would get a token of its own, and spoil one that is being filled in.
    const response = await fetch(document.body.dataset.tokenUrl, { cache: "no-store", redirect: "manual", signal });
    if (response.type === "opaqueredirect") return { isOut: true };
    return response.ok ? await response.json() : null;
  } catch {
    return null; // the line is down: what was refused stays refused
  }
}

/** Typed into a form that a reload would empty; the composer's text is kept. */
function hasTyped() {
  return [...document.querySelectorAll(TYPED)].some(
    (field) => field.checkVisibility() && field.value !== field.defaultValue,
  );
}

/** The same request of htmx once more, with the new token. Whether it could be made. */
export async function repeat({ requestConfig, etc }) {
  const { verb, path, elt, triggeringEvent, formData, headers: before } = requestConfig;
  if (!(await renew()) || !elt.isConnected) return false;
  const values = new FormData();
  for (const [name, value] of formData) values.append(name, value);
  values.set("csrfmiddlewaretoken", csrfToken());
  const headers = { "Live-Again": String(Number(before["Live-Again"] ?? 0) + 1) };
  htmx.ajax(verb, path, { source: elt, event: triggeringEvent, values, headers, swap: etc?.swapOverride });
  return true;
}

/** Why this status is the last word. `refusal`: the console's header; `what`: "upload", "draft" or "". */
export async function wordsFor(status, refusal, what = "") {
  const now = await standing();
  if (now?.isOut) emit("signed-out");
  if (now?.isOut || status === 401) return text("signed_out");
  const ours = [`${what}_${status}`, `any_${refusal}`, `any_${status}`];
  const keys = [...(refusal ? ours : [`proxy_${status}_${what}`, `proxy_${status}`]), what];
  const found = keys.find((key) => now?.words[key]);
  return found ? now.words[found] : text(status === 403 ? "not_allowed" : "went_wrong");
}
