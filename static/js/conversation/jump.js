// Jumps inside a conversation: from a quote to what it quotes, and from an old place back to the newest.
import { on } from "../events.js";

const SHOWN_MS = 1_600;

export function startJumps() {
  document.addEventListener("click", follow);
  on("opened", arrive);
}

function follow(event) {
  const link = event.target.closest("[data-jumps-to]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const row = document.getElementById(`message-${link.dataset.jumpsTo}`);
  if (row) show(row);
  else openAt(link.href);
}

/** The pane alone, drawn around a message; the address says where it stands. */
export function openAt(href) {
  const url = new URL(href, location.href);
  const path = `${url.pathname}${url.search}`;
  htmx.ajax("GET", path, { target: "#conversation-pane" }).then(() => history.replaceState(history.state, "", path));
}

function arrive() {
  const id = document.querySelector("[data-messages]")?.dataset.around;
  const row = id && document.getElementById(`message-${id}`);
  if (row) show(row);
}

function show(row) {
  row.scrollIntoView({ block: "center" });
  row.setAttribute("tabindex", "-1");
  row.focus({ preventScroll: true });
  row.classList.add("is-found");
  setTimeout(() => row.classList.remove("is-found"), SHOWN_MS);
}
