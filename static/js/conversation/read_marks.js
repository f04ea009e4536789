// Tells the server what was read. Seen means: open, on the screen, at its end, and the page in front.
const READ_AFTER_MS = 250;

let isAtEnd = () => false;
let readUpTo = "";
let timer = 0;

/** `atEnd`: whether the end of the open conversation is on the screen. */
export function startReadMarks({ atEnd }) {
  isAtEnd = atEnd;
  document.addEventListener("visibilitychange", markRead);
  window.addEventListener("focus", markRead);
}

/** Another conversation is open. */
export function forgetRead() {
  readUpTo = "";
}

export function markRead() {
  clearTimeout(timer);
  timer = setTimeout(markReadNow, READ_AFTER_MS);
}

function markReadNow() {
  const conversation = document.getElementById("open-conversation");
  const rows = conversation?.querySelectorAll(".message[data-from-them]");
  if (!rows?.length || !conversation.dataset.readUrl || document.hidden || !isAtEnd()) return;
  const last = rows[rows.length - 1].id.replace("message-", "");
  const row = document.getElementById(`conversation-${conversation.dataset.conversation}`);
  const unread = row && row.dataset.unread !== "0";
  if (last === readUpTo || (row && !unread)) return;
  readUpTo = last;
  const post = htmx.ajax("POST", conversation.dataset.readUrl, { values: { up_to: last }, swap: "none" });
  post.catch(() => {
    readUpTo = "";
  });
}
