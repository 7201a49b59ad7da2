// Fields that suggest values as somebody types: a combobox as WAI-ARIA describes it. A field with data-values works as a plain one without.
import { tell } from "./steps.js";

const PAUSE = 120; // milliseconds after the last key
const list = document.createElement("ul");
const told = document.createElement("p");
const box = document.createElement("div");
box.className = "menu value-box";
box.popover = "manual";
list.id = "value-list";
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "Suggestions");
told.className = "menu-label";
box.append(list, told);
document.getElementById("main").append(box);

let field = null; // whose suggestions are shown or asked for
let items = [];
let asking = null;
let timer;

/** Make comboboxes of the fields below this element. */
export function enhance(root) {
  for (const each of root.querySelectorAll("input[data-values]:not([role], [inputmode])")) {
    each.removeAttribute("list");
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id]]) each.setAttribute(name, value);
  }
}

const options = () => [...list.children];
const active = () => options().findIndex((each) => each.getAttribute("aria-selected") === "true");

function close() {
  clearTimeout(timer);
  asking?.abort();
  asking = null;
  if (field?.role) field.setAttribute("aria-expanded", "false");
  field?.removeAttribute("aria-activedescendant");
  if (box.matches(":popover-open")) box.hidePopover();
  field = null;
  items = [];
}

function point(at) {
  options().forEach((each, place) => each.setAttribute("aria-selected", String(place === at)));
  const option = options()[at];
  if (!option) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function pick(at) {
  const [target, value] = [field, items[at].value];
  close();
  target.value = value;
  target.dispatchEvent(new CustomEvent("value-picked", { bubbles: true }));
  target.dispatchEvent(new Event("input", { bubbles: true }));
}

/** What the field's suggestions hang on: of an event's property, which event and which property. */
function question(of) {
  const asked = new URLSearchParams({ of: of.dataset.values, q: of.value });
  const name = of.name || of.dataset.of || "";
  const said = (other) => document.querySelector(`[name="${CSS.escape(other)}"]`)?.value ?? "";
  if (asked.get("of").startsWith("property")) {
    asked.set("event", said(name.replace(/(\/where\/\d+)?\/(property|value|values)$/, "/event")));
    asked.set("property", said(name.replace(/\/(value|values)$/, "/property")));
  }
  return asked;
}

async function ask() {
  const of = field;
  asking?.abort();
  const mine = (asking = new AbortController());
  try {
    const answer = await fetch(`${document.getElementById("builder").dataset.valuesAt}?${question(of)}`, { signal: mine.signal, headers: { Accept: "application/json" } });
    const found = answer.ok ? await answer.json() : { items: [], told: "" };
    if (mine === asking && of === field) show(found);
  } catch (error) {
    if (error.name !== "AbortError" && mine === asking) close();
  }
}

function show(found) {
  const taken = new Set(document.getElementsByName(field.dataset.of ?? "")[0]?.value.split("\n")); // several values: those that are there already
  items = found.items.filter((item) => !taken.has(item.value));
  told.textContent = found.told;
  told.hidden = !found.told;
  list.replaceChildren(...items.map((item, at) => option(item, at)));
  if (!items.length && !found.told) return box.matches(":popover-open") && box.hidePopover(), field.removeAttribute("aria-activedescendant");
  list.hidden = !items.length;
  if (!box.matches(":popover-open")) box.showPopover();
  place();
  if (field.role) field.setAttribute("aria-expanded", String(items.length > 0));
  field.removeAttribute("aria-activedescendant");
  tell(`${items.length ? `${items.length} ${items.length === 1 ? "suggestion" : "suggestions"}. ` : ""}${found.told}`);
}

function option(item, at) {
  const row = document.createElement("li");
  row.className = "menu-item";
  row.id = `value-${at}`;
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", "false");
  const words = document.createElement("span");
  words.className = "truncate";
  words.textContent = item.label;
  row.append(words);
  if (item.people !== null) {
    const people = document.createElement("span");
    people.className = "number small quiet";
    people.textContent = item.people.toLocaleString("en");
    row.append(people);
  }
  return row;
}

function place() {
  const { left, bottom, top, width } = field.getBoundingClientRect();
  const above = innerHeight - bottom < Math.min(box.offsetHeight, 240) + 8 && top > innerHeight - bottom;
  box.style.minInlineSize = `${width}px`;
  box.style.left = `${Math.max(8, Math.min(left, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = above ? "" : `${bottom + 4}px`;
  box.style.bottom = above ? `${innerHeight - top + 4}px` : "";
}

function begin(target, pause) {
  if (field && field !== target) close();
  field = target;
  clearTimeout(timer);
  timer = setTimeout(ask, pause);
}

const combobox = (event) => event.target.matches?.("input[data-values][role=combobox]") && event.target;
document.addEventListener("input", (event) => combobox(event) && event.isTrusted && begin(event.target, PAUSE));
document.addEventListener("click", (event) => combobox(event) && begin(event.target, 0));
document.addEventListener("focusin", (event) => event.target.matches?.("input[data-values][inputmode]") && begin(event.target, PAUSE)); // of a number: from where to where
document.addEventListener("focusout", (event) => event.target === field && close());
document.addEventListener("keydown", (event) => {
  const target = combobox(event);
  if (!target || event.ctrlKey || event.metaKey || event.isComposing) return;
  const open = field === target && items.length > 0;
  const at = open ? active() : -1;
  if (event.key === "ArrowDown" && !open) begin(target, 0);
  else if (event.key === "ArrowDown") point((at + 1) % items.length);
  else if (event.key === "ArrowUp" && open) point(at <= 0 ? items.length - 1 : at - 1);
  else if (event.key === "Enter" && at >= 0) pick(at);
  else if (event.key === "Escape" && field === target && box.matches(":popover-open")) close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);
box.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
box.addEventListener("click", (event) => {
  const row = event.target.closest("[role=option]");
  if (row && field) pick(options().indexOf(row));
});
addEventListener("scroll", (event) => field && !box.contains(event.target) && box.matches(":popover-open") && place(), true);
document.body.addEventListener("htmx:beforeSwap", (event) => event.detail.target.id === "editor" && close());
document.body.addEventListener("htmx:afterSettle", (event) => event.detail.elt.id === "editor" && enhance(document));
enhance(document);
