// The server's panel: scripted people, clock, trouble on the line, rules that the client broke.

import { call, element, one, say } from "./wire.js";

const KINDS = {
  502: { kind: "status", status: 502 },
  reset: { kind: "reset" },
  lost: { kind: "lost" },
  slow: { kind: "slow", delay_s: 5 },
  html: { kind: "html" },
  expired: { kind: "ret", errcode: -14, errmsg: "session timeout" },
  refused: { kind: "ret", ret: -2, errmsg: "rate limited" },
};

let clockOffset = 0;

export function showServer(state) {
  one("[data-scripts]").checked = state.scripts_on;
  clockOffset = state.clock.now_ms - Date.now();
  const ahead = state.clock.offset_s;
  one("[data-ahead]").textContent = ahead ? say("clock_ahead", { time: duration(ahead) }) : say("clock_real");
  showClock();
  showFaults(state.faults);
  showViolations(state.violations);
}

function duration(seconds) {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.round((seconds % 3600) / 60);
  return hours ? `${hours} h ${minutes} min` : `${minutes} min`;
}

function showClock() {
  const now = new Date(Date.now() + clockOffset);
  one("[data-clock]").textContent = now.toLocaleString(document.documentElement.lang, {
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
}

function showFaults(faults) {
  const rows = faults.map((fault) => {
    const left = fault.times === null ? say("trouble_until") : say("trouble_left", { count: fault.times });
    const what = `${fault.path} · ${fault.status || fault.kind} · ${left}`;
    const after = fault.skip ? ` · ${say("trouble_after", { count: fault.skip })}` : "";
    return element("li", "warn", what + after);
  });
  one("[data-faults]").replaceChildren(...rows);
  one("[data-clear-faults-row]").hidden = !faults.length;
}

function showViolations(violations) {
  const rows = Object.entries(violations).map(([what, count]) => {
    return element("li", "bad", `${what} · ${count}`);
  });
  one("[data-violations]").replaceChildren(...rows);
  one("[data-no-violations]").hidden = rows.length > 0;
  one("[data-clear-violations-row]").hidden = !rows.length;
}

export function bindServer() {
  one("[data-scripts]").addEventListener("change", (event) => {
    call("switches", { scripts_on: event.target.checked });
  });
  for (const each of document.querySelectorAll("[data-advance]")) {
    each.addEventListener("click", () => call("advance", { seconds: Number(each.dataset.advance) }));
  }
  const form = one("[data-trouble]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { where, kind, times } = form.elements;
    const often = times.value ? Number(times.value) : null;
    call("add_fault", { path: where.value, times: often, ...KINDS[kind.value] });
  });
  one("[data-clear-faults]").addEventListener("click", () => call("clear_faults"));
  one("[data-clear-violations]").addEventListener("click", () => call("clear_violations"));
  setInterval(showClock, 1000);
}
