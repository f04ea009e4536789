// What this page shows: requests name it, so that their answers bring what belongs to it.

export function openConversation() {
  return document.getElementById("open-conversation")?.dataset.conversation ?? "";
}

export function openLogin() {
  return document.querySelector("[data-login-id]")?.dataset.loginId ?? "";
}

/** The list, as its address would say it. */
export function shownList() {
  return document.getElementById("list-pane")?.dataset.list ?? "";
}
