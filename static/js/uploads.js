// Carries one file to the console, with progress; knows nothing of the page around it.

/** Resolves with the answer; rejects with words, or with null when it was cut by `abort`. */
export function carry(file, { url, token, onProgress }) {
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("csrfmiddlewaretoken", token);
  // Percent-encoded: a form changes line ends, and quotes in the name of a part.
  form.append("name", encodeURIComponent(file.name));
  form.append("file", file, "file");
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(Math.floor((event.loaded / event.total) * 100));
    });
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (request.status === 201 && answer?.id) resolve(answer);
      else reject(answer?.error ?? "");
    });
    request.addEventListener("error", () => reject(""));
    request.addEventListener("abort", () => reject(null));
  });
  request.open("POST", url);
  request.send(form);
  return { done, abort: () => request.abort() };
}

/** Tell the console that a file is not wanted any more; it would end by itself in a day. */
export function discard(id, { url, token }) {
  const form = new FormData();
  form.append("csrfmiddlewaretoken", token);
  fetch(`${url}${id}/discard/`, { method: "POST", body: form, keepalive: true }).catch(() => {});
}

function parsed(words) {
  try {
    return JSON.parse(words);
  } catch {
    return null;
  }
}
