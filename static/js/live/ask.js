// Posts without htmx whose answers are drawn like those to htmx: they carry the page's numbers.
import { seenAccount } from "../composer/seen_account.js";
import { text } from "../page/texts.js";
import { isSignIn, REFUSAL, send, wordsFor } from "./requests.js";
import { openConversation, openLogin, shownList } from "./shown.js";
import { since } from "./streams.js";
import { read } from "./upsert.js";

const TIMEOUT_MS = 20_000;
const KEEPALIVE_MOST = 60_000;

/** What the page has and shows: an answer says what changed since. */
export function numbers() {
  return {
    "Live-Since": since(),
    "Live-Open": openConversation(),
    "Live-Login": openLogin(),
    "Live-Account": seenAccount(),
    "Live-List": shownList(),
  };
}

/**
 * What is small goes on when the page is left.
 * @param {string} url
 * @param {URLSearchParams} values
 * @returns {Promise<import("../events.js").Answer>}
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
