// What is counted beside the rule on demand: asked when it is opened, and again when the rule has changed since.
const parts = [...document.querySelectorAll("[data-beside]")];
const bodyOf = (part) => part.querySelector("[hx-post]");

function ask(part) {
  part.dataset.asked = "1";
  delete part.dataset.outdated; // a change while it is counted outdates the answer that is on its way
  htmx.trigger(bodyOf(part), "asked");
}
for (const part of parts) {
  part.addEventListener("toggle", () => part.open && (!part.dataset.asked || part.dataset.outdated !== undefined) && ask(part));
  part.querySelector("[data-again]").addEventListener("click", () => ask(part));
  for (const failure of ["htmx:responseError", "htmx:sendError"]) bodyOf(part).addEventListener(failure, () => delete part.dataset.asked);
}
const outdate = () => parts.forEach((part) => part.dataset.asked && (part.dataset.outdated = ""));
document.addEventListener("input", (event) => event.target.form?.id === "editor" && event.target.name !== "note" && outdate());
document.body.addEventListener("document-changed", outdate);
