// One of several tabs does a thing: the first that claims a message does it, the others hear no.
// Claims stand in localStorage, taken under a lock of the browser.
const GOOD_MS = 60_000;

/** Whether this tab is the one. `id`: of the message; within `quietMs` nobody gets another. */
export async function claim(kind, id, quietMs = 0) {
  const key = `weilink-${kind}`;
  const take = () => takeNow(key, id, quietMs);
  // Without https there are no locks: two tabs then may do it twice, never not at all.
  return navigator.locks ? navigator.locks.request(key, take) : take();
}

function takeNow(key, id, quietMs) {
  const now = Date.now();
  try {
    const [last, at] = (localStorage.getItem(key) ?? "0:0").split(":").map(Number);
    const age = now - at;
    // What is older than a minute is of a past that says nothing, perhaps of another console.
    if (age >= 0 && age < GOOD_MS && (last >= id || age < quietMs)) return false;
    localStorage.setItem(key, `${id}:${now}`);
  } catch {
    // storage is blocked: each tab for itself
  }
  return true;
}
