// Undo and redo: the form's fields as they were, step by step. Where the same fields are on the page they get their values back at once;
// else the server draws the form from them, as it does with work that a browser kept.
import { serialise } from "../forms.js";
import { tell } from "./steps.js";

const MOST = 200; // states
const KEPT = 50; // states before and after, over a save
const TOGETHER = 1500; // milliseconds within which typing in one field is one step
const form = () => document.querySelector("#editor[data-document]");

let states = []; // { fields, words, field, at }: words and field say what led to it
let now = 0;
let busy = false; // the server draws
let wanted = 0; // undos (-) or redos (+) that were asked for meanwhile
let returning = null; // the step of history that is being drawn

function record(words, field = "", joins = false) {
  const here = form();
  if (!here) return;
  const fields = serialise(here);
  const top = states[now];
  if (top?.fields === fields) return;
  if (states[now - 1]?.fields === fields) now -= 1; // a field's own undo
  else if (states[now + 1]?.fields === fields) now += 1;
  else {
    const same = joins || (field && top.field === field && Date.now() - top.at < TOGETHER);
    if (same && now > 0) now -= 1;
    states.splice(now + 1, states.length, { fields, words, field, at: Date.now() });
    if (states.length > MOST) states.shift();
    now = states.length - 1;
  }
  draw();
}

function draw() {
  const bar = form()?.querySelector("[data-history]");
  if (!bar) return;
  bar.hidden = false;
  for (const [button, state, word, keys] of [
    [bar.querySelector("[data-undo]"), now > 0 ? states[now] : null, "Undo", "Ctrl+Z"],
    [bar.querySelector("[data-redo]"), states[now + 1] ?? null, "Redo", "Ctrl+Shift+Z"],
  ]) {
    button.setAttribute("aria-disabled", String(!state));
    button.title = state ? `${word}: ${state.words} (${keys})` : `Nothing to ${word.toLowerCase()}`;
  }
}

function go(step) {
  if (busy) return void (wanted = step);
  const here = form();
  const to = states[now + step];
  if (!here || !to) return tell(step < 0 ? "There is nothing to undo." : "There is nothing to redo.");
  const from = states[now];
  const said = `${step < 0 ? "Undone" : "Done again"}: ${(step < 0 ? from : to).words}.`;
  const field = difference(from.fields, to.fields);
  now += step;
  if (putBack(here, from.fields, to.fields)) finish(said, field);
  else ask(here, to, said, field);
}

const pairs = (fields) => new Map(JSON.parse(fields));

/** The first field that is new or says something else. */
function difference(from, to) {
  const old = pairs(from);
  return JSON.parse(to).find(([name, value]) => !name.endsWith(":empty") && old.get(name) !== value)?.[0] ?? "";
}

/** Put the values into the fields that are there, if these are the same and draw nothing else when they change. */
function putBack(here, from, to) {
  const old = pairs(from);
  const wantedFields = pairs(to);
  if ([...old.keys()].join("\n") !== [...wantedFields.keys()].join("\n")) return false;
  const changed = [...wantedFields].filter(([name, value]) => old.get(name) !== value);
  const fields = changed.map(([name]) => here.elements.namedItem(name));
  if (!fields.every((each) => each instanceof HTMLElement && each.matches("input:not([type=checkbox], [type=radio]), textarea, select:not([hx-post])"))) return false;
  changed.forEach(([, value], place) => {
    fields[place].value = value;
    fields[place].dispatchEvent(new Event("put-back", { bubbles: true }));
  });
  typed = new WeakSet();
  document.body.dispatchEvent(new CustomEvent("document-changed"));
  return true;
}

function ask(here, to, said, field) {
  returning = { said, field };
  const { base, note } = here.elements;
  htmx.ajax("POST", location.href, {
    target: "#editor", swap: "outerHTML",
    values: { kept: to.fields, base: base.value, ...(note ? { note: note.value } : {}) },
  });
}

function finish(said, field) {
  const element = document.querySelector(`[data-of="${CSS.escape(field)}"]`) ?? (field && form().elements.namedItem(field));
  const button = form().querySelector(said.startsWith("Undone") ? "[data-undo]" : "[data-redo]");
  const shown = element instanceof HTMLElement && element.offsetParent !== null;
  if (shown) element.focus({ focusVisible: true });
  else if (!form().contains(document.activeElement)) button?.focus({ focusVisible: true });
  tell(said);
  draw();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-undo], [data-redo]");
  if (button) go(button.matches("[data-undo]") ? -1 : 1);
});

let typed = new WeakSet(); // fields that have a history of their own
const ownHistory = (field) => typed.has(field) || (!field.name && field.value !== ""); // what isn't a value yet isn't ours
const isText = (target) => target.matches?.("textarea, input:not([type=checkbox], [type=radio], [type=button])");

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  const step = key === "z" ? (event.shiftKey ? 1 : -1) : key === "y" && !event.shiftKey ? 1 : 0;
  if (!step || !form() || (isText(event.target) && ownHistory(event.target))) return;
  event.preventDefault();
  go(step);
});

const named = (field) => field.getAttribute("aria-label") ?? field.labels?.[0]?.firstChild?.textContent.trim() ?? "a field";
document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.name || field.form !== form() || field.matches("select[hx-post]")) return; // these are recorded when the server has drawn
  if (event.isTrusted) typed.add(field);
  else typed.delete(field);
  if (!["note", "base"].includes(field.name)) record(named(field), event.isTrusted ? field.name : ""); // typing joins what was typed; what is picked is a step of its own
});

const pressed = (button) => {
  const said = button.textContent.trim().replace(/\s+/g, " ") || button.getAttribute("aria-label") || "a move";
  return /^add:.*:(condition|group)$/.test(button.value) ? `new ${said.toLowerCase()}` : said;
};

let words = "";
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id !== "editor" || event.defaultPrevented) return;
  const source = event.detail.elt;
  busy = true;
  words = source.matches?.("button") ? pressed(source) : named(source);
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.target.id !== "editor" || event.detail.successful || event.detail.xhr.status === 422) return;
  busy = false;
  if (returning) now = Math.max(0, states.findIndex((state) => state.fields === serialise(form())));
  returning = null;
});
document.body.addEventListener("htmx:afterSwap", (event) => event.detail.elt.id === "editor" && draw());
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "editor" && event.detail.elt.id !== "editor") return;
  busy = false;
  if (returning) {
    states[now].fields = serialise(form());
    const { said, field } = returning;
    returning = null;
    finish(said, field);
  } else record(words);
  draw();
  const step = wanted;
  wanted = 0;
  if (step) go(step);
});

// a save draws the page anew: what it shows then is where this tab's history goes on
const place = () => `omni:history:${form().dataset.document}`;
addEventListener("pagehide", () => {
  if (!form()) return;
  const first = Math.max(0, now - KEPT);
  try {
    sessionStorage.setItem(place(), JSON.stringify({ states: states.slice(first, now + KEPT), now: now - first }));
  } catch {
    sessionStorage.removeItem(place()); // no room
  }
});

if (form()) {
  const kept = JSON.parse(sessionStorage.getItem(place()) ?? "null");
  const goesOn = kept?.states[kept.now]?.fields === serialise(form());
  states = goesOn ? kept.states : [{ fields: serialise(form()), words: "", field: "", at: 0 }];
  now = goesOn ? kept.now : 0;
  draw();
}
