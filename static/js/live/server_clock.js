// The server's time, as far as this page knows it: every answer that is drawn brings it along.
let skewMs = Number(document.body.dataset.now) * 1000 - Date.now();

export function now() {
  return Date.now() + skewMs;
}

export function setClock({ dataset }) {
  const seconds = Number(dataset.now);
  if (seconds) skewMs = seconds * 1000 - Date.now();
}
