// A colleague has the conversation, or types an answer at this moment: that is said while one types,
// and asked when one sends. It takes no key: the answer is a button, chosen on purpose.
import { emit, on } from "../events.js";
import { announce, text } from "../page/texts.js";
import { form, isNote } from "./form.js";

let answeredFor = "";
let question = null;
let whoWrites = () => null;

export function startAsking({ writerIn }) {
  whoWrites = writerIn;
  document.addEventListener("click", answer);
  on("drawn", show);
  on("wrote", show);
  on("opened", () => {
    answeredFor = "";
    question = null;
    show();
  });
}

function box() {
  return document.getElementById("composer-ask");
}

/** Whom one would answer over, and how that is said. */
function colleague() {
  const mine = form();
  if (!mine || isNote() || !mine.elements.text.value.trim()) return null;
  const { owner = "" } = document.getElementById("quota")?.dataset ?? {};
  const writer = whoWrites()?.name ?? "";
  if (!owner && !writer) return null;
  const said = writer ? text("colleague_types", { name: writer }) : text("colleague_has", { name: owner });
  const asked = writer ? text("ask_typing", { name: writer }) : text("ask_owner", { name: owner });
  return { owner, writer, said, asked, whom: owner || writer };
}

/** Whether a question stands that must be answered before anything else happens to the reply. */
export function mustAnswerFirst() {
  return Boolean(question) && Boolean(form()?.elements.text.value.trim());
}

/** Asks, if there is somebody to ask about; `submitter`: what was pressed, to go on with. */
export function asksFirst(submitter) {
  const one = colleague();
  if (!one || answeredFor === one.whom) return false;
  question = { ...one, pressed: submitter?.name ? [[submitter.name, submitter.value]] : [] };
  show();
  announce(question.asked);
  return true;
}

/** Once asked, it stands until it is answered or the reply is gone, whatever the colleague does. */
function show() {
  const place = box();
  if (!place) return;
  if (!mustAnswerFirst()) question = null;
  const one = colleague();
  const words = question?.asked ?? (one && answeredFor !== one.whom ? one.said : "");
  place.hidden = !words;
  place.querySelector("[data-answers]").hidden = !question;
  place.querySelector("[data-takes-it]").hidden = !question?.owner;
  const line = place.querySelector("[data-ask-words]");
  if (line.textContent !== words) line.textContent = words;
}

function answer(event) {
  const chosen = event.target.closest?.("#composer-ask [data-answers] button");
  if (!chosen || !question) return;
  const { pressed, whom } = question;
  question = null;
  form().elements.text.focus({ preventScroll: true });
  if (!("keepsWriting" in chosen.dataset)) {
    answeredFor = whom;
    emit("send-anyway", { values: "takesIt" in chosen.dataset ? [...pressed, ["also", "take"]] : pressed });
  }
  show();
}
