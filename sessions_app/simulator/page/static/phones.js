// The owners' phones: scan, confirm, refuse, digits, log out. A card is rebuilt only when what it
// shows has changed, so that a click never meets a vanishing button.

import { button, call, copy, element, face, minutes, one, onlyCode, say } from "./wire.js";

const cards = new Map();
let newPhone;

export function showPhones(state) {
  const waiting = state.logins
    .filter((login) => login.status === "wait" && (!onlyCode || login.handle === onlyCode))
    .reverse();
  const shelf = one("[data-phones]");
  for (const account of state.accounts) {
    const login = state.logins.find((each) => each.account_id === account.user_id && each.status !== "wait");
    const bot = state.bots.find((each) => each.account_id === account.user_id);
    showPhone(shelf, account, login, bot, waiting);
  }
  newPhone ??= addNewPhone(shelf);
  shelf.append(newPhone);
  showCodeGone(state);
}

function showCodeGone(state) {
  const known = state.logins.some((login) => login.handle === onlyCode);
  one("[data-code-gone]").hidden = !onlyCode || known;
}

function showPhone(shelf, account, login, bot, waiting) {
  const seen = JSON.stringify([
    account,
    login && [login.handle, login.status],
    bot && [bot.bot_id, bot.polled],
    waiting.map((each) => each.handle),
  ]);
  const old = cards.get(account.user_id);
  if (old?.seen !== seen) {
    const card = buildPhone(account, login, bot, waiting);
    if (old) old.card.replaceWith(card);
    else shelf.append(card);
    cards.set(account.user_id, { seen, card });
  }
  const left = one("[data-left]", cards.get(account.user_id).card);
  const shown = login ?? waiting[0];
  if (left && shown) {
    left.dataset.left = String(Date.now() + shown.seconds_left * 1000);
    left.textContent = say("time_left", { time: minutes(shown.seconds_left) });
  }
}

function buildPhone(account, login, bot, waiting) {
  const card = copy("phone");
  card.setAttribute("aria-label", account.name);
  face(one(".face", card), account.user_id, account.name);
  one("h3", card).textContent = account.name;
  const polled = bot?.polled;
  one(".state", card).textContent = bot ? `${say("bound")} · ${say(polled ? "receiving" : "silent")}` : say("unbound");
  card.classList.toggle("live", Boolean(polled));
  const actions = one(".actions", card);
  if (login) showLogin(actions, account, login);
  else showCodes(actions, account, waiting);
  if (bot && !login) {
    actions.append(button(say("logout", account), "quiet", () => call("end_bot", { bot_id: bot.bot_id })));
  }
  return card;
}

function showLogin(actions, account, login) {
  const handle = login.handle;
  if (login.status === "need_verifycode") {
    actions.append(element("p", "digits", login.digits));
    actions.append(element("p", "second", say("digits_help")));
  } else {
    actions.append(element("p", "question", say("allow")));
    actions.append(button(say("confirm", account), "main", () => call("confirm", { handle })));
  }
  actions.append(button(say("refuse", account), "quiet", () => call("refuse", { handle })));
  actions.append(timeLeft());
}

function showCodes(actions, account, waiting) {
  if (!waiting.length) {
    actions.append(element("p", "third", say("no_codes")));
    return;
  }
  waiting.slice(0, 4).forEach((login, number) => {
    const label = number
      ? say("scan_older", { name: account.name, code: login.handle.slice(0, 4) })
      : say("scan", account);
    actions.append(button(label, number ? "" : "main", () => scan(login.handle, account)));
  });
  actions.append(timeLeft());
}

function timeLeft() {
  const made = element("p", "third number");
  made.dataset.left = "0";
  return made;
}

function scan(handle, account) {
  return call("scan", {
    handle,
    account: account.user_id,
    ask_code: one("[data-ask-code]").checked,
    redirect: one("[data-redirect]").checked,
  });
}

function addNewPhone(shelf) {
  const form = copy("new-phone");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await call("add_account", { name: form.elements.name.value });
    form.reset();
  });
  shelf.append(form);
  return form;
}

/** Count down between two answers of the server. */
export function tick() {
  for (const each of document.querySelectorAll("[data-left]")) {
    const left = (Number(each.dataset.left) - Date.now()) / 1000;
    if (left > 0) each.textContent = say("time_left", { time: minutes(left) });
  }
}
