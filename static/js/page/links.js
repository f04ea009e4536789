// With Ctrl, ⌘ or Shift a link leads to a new tab or window, as everywhere: htmx would open it here.
const OPENS = "a[href][hx-get], [data-opens-dialog], [data-opens-dialog] button";

let elsewhere = false;

export function startLinks() {
  document.addEventListener(
    "click",
    (event) => {
      const control = event.target.closest?.(OPENS);
      if (!control || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
      event.stopPropagation();
      // The submit that a button's click brings comes before anything else does.
      elsewhere = true;
      setTimeout(() => {
        elsewhere = false;
      });
    },
    { capture: true },
  );
  document.addEventListener(
    "submit",
    (event) => {
      if (elsewhere) event.stopPropagation();
    },
    { capture: true },
  );
}
