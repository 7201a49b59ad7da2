// What is counted beside the rule on demand: asked when it is opened, and again when the rule has changed since.
const parts = [...document.querySelectorAll("[data-beside]")];
const bodyOf = (part) => part.querySelector("[hx-post]");
const counted = new Map(); // part → the rule for which it was asked

/** The rule's fields, or its text, as they stand. */
function rule() {
  const form = document.getElementById("editor");
  return JSON.stringify([...new FormData(form)].filter(([name]) => name === "source" || name.startsWith("/rule")));
}
function ask(part) {
  counted.set(part, rule()); // a change while it is counted outdates the answer that is on its way
  part.dataset.asked = "1";
  delete part.dataset.outdated;
  htmx.trigger(bodyOf(part), "asked");
}
for (const part of parts) {
  part.addEventListener("toggle", () => part.open && (!part.dataset.asked || part.dataset.outdated !== undefined) && ask(part));
  part.querySelector("[data-again]").addEventListener("click", () => ask(part));
  for (const failure of ["htmx:responseError", "htmx:sendError"]) bodyOf(part).addEventListener(failure, () => delete part.dataset.asked);
}
function compare() {
  const now = rule();
  for (const part of parts) part.toggleAttribute("data-outdated", part.dataset.asked === "1" && counted.get(part) !== now); // undone, it holds again
}
document.addEventListener("input", (event) => event.target.form?.id === "editor" && compare());
document.body.addEventListener("document-changed", compare);
