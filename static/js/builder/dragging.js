// Dragging a condition or a group by its handle, with a mouse, a pen or a finger, to another place of the rule. Escape lets go.
import { fits, refuse, take } from "./steps.js";

const FAR = 6; // pixels from which a press is a drag
const EDGE = 10; // pixels at a group's upper and lower edge that mean before it and behind it
const NEAR = 90; // pixels from the window's edges at which the page scrolls
let drag = null;

const marker = document.createElement("li");
marker.className = "rule-drop";
marker.setAttribute("aria-hidden", "true");

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest?.("[data-grip]");
  if (!grip || event.button !== 0 || !event.isPrimary) return;
  drag = { grip, item: grip.closest("[data-item]"), x: event.clientX, y: event.clientY, begun: false, target: null };
});

document.addEventListener("pointermove", (event) => {
  if (!drag || !event.isPrimary) return;
  if (!drag.begun && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR) return;
  if (!drag.begun) begin(event.pointerId);
  drag.x = event.clientX;
  drag.y = event.clientY;
  aim();
});

document.addEventListener("pointerup", () => {
  if (!drag?.begun) return void (drag = null);
  const { item, target } = drag;
  end();
  if (!target) return;
  if (!fits(item, target.group)) refuse("A rule has at most 10 groups inside each other. It stays where it was.");
  else take(`move:${item.dataset.item}:${target.group.dataset.item}/of/${target.at}`);
});
document.addEventListener("pointercancel", () => (drag?.begun ? end() : (drag = null)));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drag?.begun) return;
  event.preventDefault();
  event.stopPropagation();
  end();
}, true);
document.body.addEventListener("htmx:beforeSwap", (event) => { // the handle that is held goes away
  if (event.detail.target.id !== "editor") return;
  if (drag?.begun) end();
  drag = null;
});

function begin(pointer) {
  drag.begun = true;
  drag.grip.setPointerCapture?.(pointer);
  drag.grip.parentElement.querySelector(":popover-open")?.hidePopover();
  drag.item.dataset.dragged = "";
  document.documentElement.dataset.dragging = "";
  scroll();
}

function end() {
  delete drag.item.dataset.dragged;
  delete document.documentElement.dataset.dragging;
  marker.remove();
  drag = null;
  const swallow = (event) => { // letting go of the handle isn't a press of it
    if (!event.isTrusted) return;
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("click", swallow, true);
  setTimeout(() => document.removeEventListener("click", swallow, true), 100);
}

/** Find the place below the pointer, and draw it. */
function aim() {
  const under = document.elementsFromPoint(drag.x, drag.y); // the bar at the bottom may lie over the rule
  let group = under.find((each) => each.matches("#editor .rule-group, #editor .rule-group *"))?.closest(".rule-group");
  let at = null;
  if (group && group.dataset.depth !== "0") {
    const { top, bottom } = group.getBoundingClientRect();
    const row = group.parentElement;
    if (drag.y - top < EDGE || bottom - drag.y < EDGE) {
      at = rows(row.parentElement).indexOf(row) + (bottom - drag.y < EDGE ? 1 : 0);
      group = row.closest(".rule-group");
    }
  }
  if (!group || drag.item.contains(group)) return forget();
  const list = group.querySelector(":scope > .rule-list");
  const all = rows(list);
  at ??= all.findIndex((row) => middle(row) > drag.y);
  if (at < 0) at = all.length;
  const own = all.indexOf(drag.item.parentElement);
  if (own >= 0 && (at === own || at === own + 1)) return forget(); // where it is already
  drag.target = { group, at };
  marker.toggleAttribute("data-refused", !fits(drag.item, group));
  list.insertBefore(marker, all[at] ?? null);
}

function forget() {
  drag.target = null;
  marker.remove();
}

const rows = (list) => [...list.children].filter((row) => row !== marker && row.querySelector(":scope > [data-item]"));
const middle = (row) => {
  const { top, height } = row.getBoundingClientRect();
  return top + height / 2;
};

function scroll() {
  if (!drag?.begun) return;
  const by = drag.y < NEAR ? drag.y - NEAR : Math.max(0, drag.y - innerHeight + NEAR);
  if (by) {
    scrollBy(0, by / 6);
    aim();
  }
  requestAnimationFrame(scroll);
}
