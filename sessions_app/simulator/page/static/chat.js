// The customers' side: who writes to which bot, the chat as the person's phone shows it, the
// composer. Bubbles are only ever added; choosing another chat starts afresh.

import { call, clockTime, copy, element, face, one, read, say } from "./wire.js";

const person = one("[data-person]");
const bot = one("[data-bot]");
const bubbles = one("[data-bubbles]");
const composer = one("[data-composer]");
let shownChat = "";
let shownUpTo = 0;
let quoteOf = "";
let names = new Map();
let chosen = false;

export function showChats(state) {
  names = new Map(state.people.map((each) => [each.user_id, each.name]));
  const owners = new Map(state.accounts.map((each) => [each.user_id, each.name]));
  const bots = state.bots.map((each) => ({
    id: each.bot_id,
    name: say("owner_bot", { name: owners.get(each.account_id) ?? each.bot_id }),
  }));
  fill(
    person,
    state.people.map((each) => ({ id: each.user_id, name: each.name })),
  );
  fill(bot, bots.length ? bots : [{ id: "", name: say("no_bot") }]);
  showList(state, new Map(bots.map((each) => [each.id, each.name])));
  if (!chosen && state.chats.length && bots.length) choose(state.chats[0]);
  for (const control of composer.querySelectorAll("button, textarea")) {
    control.disabled = !bots.length;
  }
  return showChat();
}

function fill(select, options) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options === wanted) return;
  select.dataset.options = wanted;
  const before = select.value;
  select.replaceChildren(...options.map(({ id, name }) => new Option(name, id)));
  if (options.some(({ id }) => id === before)) select.value = before;
}

function showList(state, botNames) {
  one("[data-no-chats]").hidden = state.chats.length > 0;
  const list = one("[data-chats]");
  const rows = state.chats.filter((chat) => botNames.has(chat.bot_id));
  const wanted = JSON.stringify([rows, person.value, bot.value]);
  if (list.dataset.shown === wanted) return;
  list.dataset.shown = wanted;
  const focused = list.contains(document.activeElement) && document.activeElement.dataset.key;
  list.replaceChildren(...rows.map((chat) => chatRow(chat, botNames)));
  if (focused) one(`[data-key="${CSS.escape(focused)}"]`, list)?.focus();
}

function chatRow(chat, botNames) {
  const row = copy("chat-row");
  const open = one("button", row);
  const name = names.get(chat.person_id) ?? chat.person_id;
  face(one(".face", row), chat.person_id, name);
  one(".who", row).textContent = name;
  one("time", row).textContent = clockTime(chat.at_ms);
  one(".last", row).textContent = chat.text || say(kindKey(chat.kind));
  one(".chip", row).textContent = chat.typing ? say("typing") : botNames.get(chat.bot_id);
  open.dataset.key = `${chat.bot_id} ${chat.person_id}`;
  if (chat.person_id === person.value && chat.bot_id === bot.value) {
    open.setAttribute("aria-current", "true");
  }
  open.addEventListener("click", () => {
    choose(chat);
    showChat();
  });
  return row;
}

function choose(chat) {
  chosen = true;
  person.value = chat.person_id;
  bot.value = chat.bot_id;
}

async function showChat() {
  if (!person.value) return;
  const key = `${bot.value} ${person.value}`;
  const name = names.get(person.value) ?? person.value;
  one("[data-send]").textContent = say("send", { name });
  composer.elements.text.placeholder = say("message_hint", { name });
  if (key !== shownChat) startAfresh(key);
  if (!bot.value) return;
  const chat = await read("chat", { bot_id: bot.value, person_id: person.value });
  if (key !== shownChat) return;
  addBubbles(chat.bubbles);
  const typing = one("[data-typing]");
  if (typing.hidden === chat.typing) {
    const low = isLow();
    typing.hidden = !chat.typing;
    if (low) bubbles.scrollTop = bubbles.scrollHeight;
  }
  one("[data-replies]").textContent = chat.context_token ? say("replies", { count: chat.replies }) : "";
}

function startAfresh(key) {
  shownChat = key;
  shownUpTo = 0;
  bubbles.replaceChildren(element("p", "third empty", say("empty_chat")));
  one("[data-typing]").hidden = true;
  one("[data-replies]").textContent = "";
  dropQuote();
  for (const row of document.querySelectorAll("[data-key]")) {
    if (row.dataset.key === key) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function addBubbles(all) {
  const fresh = all.filter((each) => each.number > shownUpTo);
  if (!fresh.length) return;
  if (!shownUpTo) bubbles.replaceChildren();
  const low = isLow() || !shownUpTo;
  bubbles.append(...fresh.map(buildBubble));
  shownUpTo = fresh.at(-1).number;
  if (low) bubbles.scrollTop = bubbles.scrollHeight;
}

function isLow() {
  return bubbles.scrollHeight - bubbles.scrollTop - bubbles.clientHeight < 80;
}

function buildBubble(data) {
  const made = copy("bubble");
  made.classList.add(data.from_bot ? "theirs" : "own");
  const quoted = one(".quoted", made);
  quoted.hidden = !data.quote;
  quoted.textContent = data.quote;
  one(".content", made).append(...contentOf(data));
  one("time", made).textContent = clockTime(data.at_ms);
  const quote = one(".quote", made);
  const text = (data.text || say(kindKey(data.kind))).slice(0, 60);
  quote.setAttribute("aria-label", say("quote", { text }));
  quote.title = say("quote", { text });
  quote.addEventListener("click", () => startQuote(data.message_id, text));
  return made;
}

function contentOf(data) {
  if (data.kind === "text") return [element("p", "", data.text)];
  const label = say(kindKey(data.kind));
  if (data.broken) return [element("p", "bad", `${label}: ${say("broken")}`)];
  const address = `control/media?${new URLSearchParams({ param: data.media, name: data.file_name })}`;
  if (data.kind === "image") {
    const picture = element("img");
    Object.assign(picture, { src: address, alt: label, width: 160, height: 160, loading: "lazy" });
    return [picture];
  }
  const link = element("a", "attached", data.kind === "file" ? data.file_name : label);
  link.href = address;
  return data.text ? [link, element("p", "second", data.text)] : [link];
}

function kindKey(kind) {
  return { image: "picture", voice: "voice", file: "file", video: "video" }[kind] ?? "message";
}

function startQuote(messageId, text) {
  quoteOf = messageId;
  one("[data-quoted]").textContent = text;
  one("[data-quoting]").hidden = false;
  composer.elements.text.focus();
}

function dropQuote() {
  quoteOf = "";
  one("[data-quoting]").hidden = true;
}

async function write(values) {
  chosen = true;
  bubbles.scrollTop = bubbles.scrollHeight;
  const quote_of = quoteOf;
  dropQuote();
  await call("write", { bot_id: bot.value, person_id: person.value, quote_of, ...values });
}

export function bindChat() {
  for (const select of [person, bot]) {
    select.addEventListener("change", () => {
      chosen = true;
      showChat();
    });
  }
  composer.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = composer.elements.text.value;
    if (!text.trim() || !bot.value) return;
    composer.elements.text.value = "";
    await write({ text });
  });
  composer.elements.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      composer.requestSubmit();
    }
  });
  for (const each of composer.querySelectorAll("[data-kind]")) {
    each.addEventListener("click", () => write({ kind: each.dataset.kind }));
  }
  one("[data-drop-quote]").addEventListener("click", dropQuote);
  one("[data-add-person]").addEventListener("submit", addPerson);
}

async function addPerson(event) {
  event.preventDefault();
  const form = event.target;
  const added = await call("add_person", { name: form.elements.name.value });
  form.reset();
  chosen = true;
  person.add(new Option(added.name, added.user_id));
  person.value = added.user_id;
  showChat();
}
