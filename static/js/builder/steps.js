// Moving conditions and groups: by the menu of their handle or by Alt and arrows. The server moves; here is said what happened, or why not.
import { say as show } from "../toasts.js";

const DEEPEST = 10; // groups inside each other, as audience/rules/limits.py has it
const KEYS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "out", ArrowRight: "in" };
const DONE = {
  up: "moved up", down: "moved down", in: "moved into the group above", out: "moved out of its group", move: "moved",
  wrap: "put into a group of its own", copy: "copied",
};
const REFUSED = {
  up: (name) => `${name} is the first in its group. Alt and the left arrow take it out.`,
  down: (name) => `${name} is the last in its group.`,
  out: (name) => `${name} stands in no group that it could leave.`,
  in: (name) => `There is no group above ${name}. Its menu puts it into a group of its own.`,
};
const TOO_DEEP = `A rule has at most ${DEEPEST} groups inside each other. Nothing was moved.`;

export const itemAt = (path) => document.querySelector(`[data-item="${CSS.escape(path)}"]`);
const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);
const depth = (group) => Number(group.dataset.depth);

/** Tell somebody who doesn't see the page. */
export function tell(words) {
  const said = document.getElementById("builder-said");
  if (said) said.textContent = words;
}

/** Tell everybody why something can't be done. */
export const refuse = (words) => show(words, "info");

/** How many groups stand inside each other here, itself included. */
function height(item) {
  const groups = [...(item.matches(".rule-group") ? [item] : []), ...item.querySelectorAll(".rule-group")];
  return groups.length ? Math.max(...groups.map(depth)) - Math.min(...groups.map(depth)) + 1 : 0;
}

/** Whether an item may stand in this group; more: groups that come between them. */
export const fits = (item, group, more = 0) => depth(group) + 1 + more + height(item) <= DEEPEST;

/** Take a step: press its button, or the one that stands for steps without any. */
export function take(step) {
  const form = document.getElementById("editor");
  const button = form?.querySelector(`button[name="do"][value="${CSS.escape(step)}"]`) ?? form?.querySelector("[data-step]");
  if (!button) return;
  if (button.matches("[data-step]")) button.value = step;
  button.click();
}

const holder = (item) => item.parentElement.closest(".rule-group");
const groupAbove = (item) => {
  for (let row = item.parentElement.previousElementSibling; row; row = row.previousElementSibling) {
    const group = row.querySelector(":scope > .rule-group");
    if (group) return group;
  }
  return null;
};

/** Why this step can't be taken, or "". */
function objection(verb, item) {
  const button = item.querySelector(`:scope .rule-menu button[value="${verb}:${CSS.escape(item.dataset.item)}"]`);
  if (!button || button.disabled) return REFUSED[verb](capital(item.dataset.name));
  return tooDeep(verb, item) ? TOO_DEEP : "";
}

const tooDeep = (verb, item) => (verb === "wrap" && !fits(item, holder(item), 1)) || (verb === "in" && groupAbove(item) && !fits(item, groupAbove(item)));

document.addEventListener("keydown", (event) => {
  const verb = event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && KEYS[event.key];
  if (!verb || event.target.closest("input, textarea, select")) return;
  const item = event.target.closest?.("#editor [data-item]:not([data-item='/rule'])");
  if (!item || !item.querySelector("[data-grip]")) return;
  event.preventDefault(); // Alt and the left arrow would leave the page
  const why = objection(verb, item);
  if (why) refuse(why);
  else take(`${verb}:${item.dataset.item}`);
});

// a step that the server would refuse is refused before
document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".rule-menu button[name=do]");
  const [verb, path] = button?.value.split(":") ?? [];
  const item = button && itemAt(path);
  if (!item || !tooDeep(verb, item)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  refuse(TOO_DEEP);
}, true);

// a menu begins with its first item, and arrows walk it
document.addEventListener("toggle", (event) => {
  if (event.newState === "open" && event.target.matches?.(".rule-menu")) event.target.querySelector("button:enabled")?.focus();
}, true);
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".rule-menu");
  if (!menu || event.altKey || !["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
  const items = [...menu.querySelectorAll("button:enabled")];
  const at = items.indexOf(event.target);
  const next = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: -1 }[event.key];
  items.at(next >= items.length ? 0 : next).focus();
  event.preventDefault();
});

// what happened, in the names that things have now
let step = "";
let before = "";
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id !== "editor") return;
  step = String(event.detail.requestConfig.formData.get("do") ?? "");
  before = itemAt(step.split(":")[1] ?? "")?.dataset.name ?? "";
});
document.body.addEventListener("focus-on", (event) => {
  const now = document.getElementById(event.detail.id)?.closest("[data-item]")?.dataset.name;
  const verb = step.split(":")[0];
  if (verb === "remove" && before) tell(`${capital(before)} is removed.`);
  else if (verb === "unwrap" && before) tell(`The conditions of ${before} stand in its place.`);
  else if (verb === "add" && now) tell(`${capital(now)} is new.`);
  else if (DONE[verb] && before && now) tell(`${capital(before)} is ${DONE[verb]}.${now === before ? "" : ` It is ${now} now.`}`);
});
