// Carries one file to the console, with progress; knows nothing of the tray.
import { isFinal, isStale, REFUSAL, renew, wordsFor } from "../live/requests.js";
import { csrfToken } from "../live/token.js";

/**
 * Resolves with the answer; rejects with `words` ("": the line broke) and whether it `mayWork` at the
 * next try, or with null when it was cut by `abort`.
 */
export function carry(file, { url, values, onProgress }) {
  let request = null;
  const once = () => {
    request = new XMLHttpRequest();
    return post(request, file, { url, values, onProgress });
  };
  const done = once().then(async () => {
    if (isStale(request.status, request.getResponseHeader(REFUSAL)) && (await renew())) await once();
    const answer = parsed(request.responseText);
    if (request.status === 201 && answer?.id) return answer;
    const { status } = request;
    const said = typeof answer?.error === "string" ? answer.error : ""; // a proxy's may be anything
    const words = said || (await wordsFor(status, request.getResponseHeader(REFUSAL), "upload"));
    throw { words, mayWork: !isFinal({ status, url: request.responseURL }) };
  });
  return { done, abort: () => request.abort() };
}

function post(request, file, { url, values, onProgress }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.append(name, value);
  // Percent-encoded: a form changes line ends, and quotes in the name of a part.
  form.append("name", encodeURIComponent(file.name));
  form.append("file", file, "file");
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(Math.floor((event.loaded / event.total) * 100));
    });
    request.addEventListener("load", resolve);
    request.addEventListener("error", () => reject({ words: "", mayWork: true }));
    request.addEventListener("abort", () => reject(null));
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.send(form);
  });
}

function parsed(words) {
  try {
    return JSON.parse(words);
  } catch {
    return null;
  }
}
