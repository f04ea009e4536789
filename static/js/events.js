// The events between modules: each with what it carries. Nobody else dispatches or hears them.
// On the document they are called `console:…`: an answer of the server may name one in `HX-Trigger`.

/**
 * One reply or note that was sent from this page.
 * @typedef {object} Post
 * @property {string} conversation its id
 * @property {string} who its name
 * @property {string} url where it is posted
 * @property {string} draftUrl
 * @property {"reply" | "note"} kind
 * @property {string} key of the draft
 * @property {string} nextKey of the draft that follows it
 * @property {string} text
 * @property {string} saved what the server has of it
 * @property {string} seen the newest message that its writer had seen
 * @property {number} at when it was sent, in milliseconds
 * @property {boolean} isParked it waits until the customer writes
 * @property {[string, string][]} values pairs of the form
 * @property {any[]} files entries of the tray
 * @property {boolean} [lacksFiles] it had files that were not uploaded before a reload
 * @property {() => Promise<void> | null} [rest] once no save of its draft is under way
 * @property {Promise<boolean>} [done] whether it was taken
 * @property {(isGood: boolean) => void} [end]
 */

/**
 * The answer to a post that was made without htmx.
 * @typedef {object} Answer
 * @property {boolean} isGood
 * @property {boolean} [isUnsure] it may have been done all the same
 * @property {string} [words] why not
 * @property {string} [html] why not, in the server's own words
 * @property {HTMLElement | null} [root] what changed, to be drawn
 * @property {string | null} [to] the address to go on with
 * @property {string | null} [said] events that the answer names
 */

/** @typedef {{ key: string, number: number, text: string }} Draft as the server has it */

/** @typedef {{ user_id: number, name: string, until: number, types_until: number }} Person */

/** @typedef {Record<string, never>} Nothing */

/**
 * @typedef {object} Events
 *
 * What the server sent
 * @property {{ root: HTMLElement }} drawing An answer is about to be drawn.
 * @property {{ root: HTMLElement, fresh: HTMLElement[], beyond: HTMLElement[], isPage: boolean }} drawn
 *   It was drawn. `fresh`: rows new to the page; `beyond`: new ones behind what is not loaded;
 *   `isPage`: they were asked for by scrolling.
 * @property {Nothing} settled htmx put something into the page.
 * @property {{ elt: HTMLElement, root: HTMLElement }} answered What `elt` asked for by htmx was drawn.
 * @property {{ elt: HTMLElement, words: string }} failed What `elt` asked for was refused.
 * @property {{ about?: string, people: Person[] }} notice Who is there now; it has no number.
 * @property {{ waiting: string }} counted So many conversations wait for the reader; "": none.
 *
 * The connection and who is signed in
 * @property {Nothing} welcome The websocket is open.
 * @property {Nothing} lapsed A countdown of the page ended.
 * @property {{ words?: string, link?: string }} signed-out Nobody is signed in, or somebody else.
 * @property {Nothing} renewed The same person is signed in again, or has a new token.
 *
 * The list
 * @property {{ count: number }} held So many rows wait for their place.
 * @property {Nothing} placed They took it.
 * @property {{ count: number }} selected So many rows are chosen.
 *
 * The conversation
 * @property {{ conversation: HTMLElement }} opened It came into the page.
 *
 * The composer
 * @property {Nothing} wrote The text in it is another one.
 * @property {Nothing} cost The files of the draft changed.
 * @property {{ parts: number, text: string }} parts The server counted the messages of this text.
 * @property {{ text: string }} draft This text takes the place of the one in the composer.
 * @property {{ isThere: boolean }} conflict Another tab changed the draft: its text waits for a decision.
 * @property {Nothing} files The entries of the tray changed.
 * @property {{ entry: any }} progress More of this file is uploaded.
 * @property {{ words: string }} unsaved Why the draft is not saved; "": it is.
 * @property {{ values: [string, string][] }} send-anyway Send, whoever else is answering.
 * @property {{ kind: "reply" | "note" }} sent The text left the composer.
 * @property {{ conversation: string, isNew?: boolean }} posts What is on its way there changed.
 * @property {{ one: Post, draft: Draft }} taken The server has it; its answer is not drawn yet.
 * @property {{ one: Post }} went The server has it, and its answer is drawn.
 * @property {{ posts: Post[], answer: Answer }} refused These come back into the draft.
 *
 * The page
 * @property {{ words: string, action?: string }} said To be said over the page; `action` can be undone.
 */

/**
 * @template {keyof Events} Name
 * @typedef {{} extends Events[Name] ? [detail?: Events[Name]] : [detail: Events[Name]]} Detail
 */

/**
 * @template {keyof Events} Name
 * @param {Name} name
 * @param {Detail<Name>} detail
 */
export function emit(name, ...[detail]) {
  document.dispatchEvent(new CustomEvent(`console:${name}`, { detail: detail ?? {} }));
}

/**
 * @template {keyof Events} Name
 * @param {Name} name
 * @param {(detail: Events[Name]) => unknown} listener
 * @param {AddEventListenerOptions} [options]
 */
export function on(name, listener, options) {
  document.addEventListener(
    `console:${name}`,
    (event) => listener(/** @type {CustomEvent<Events[Name]>} */ (event).detail),
    options,
  );
}
