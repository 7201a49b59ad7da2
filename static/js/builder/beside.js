// What is counted beside the rule on demand: asked when it is opened, and again when the rule has changed since.
const parts = [...document.querySelectorAll("[data-beside]")];
const bodyOf = (part) => part.querySelector("[hx-post]");

function ask(part) {
  delete part.dataset.outdated;
  htmx.trigger(bodyOf(part), "asked");
}
for (const part of parts) {
  part.addEventListener("toggle", () => part.open && (!part.dataset.asked || part.dataset.outdated !== undefined) && ask(part));
  part.querySelector("[data-again]").addEventListener("click", () => ask(part));
  bodyOf(part).addEventListener("htmx:afterSwap", () => (part.dataset.asked = "1"));
}
const outdate = () => parts.forEach((part) => part.dataset.asked && (part.dataset.outdated = ""));
document.addEventListener("input", (event) => event.target.form?.id === "editor" && event.target.name !== "note" && outdate());
document.body.addEventListener("document-changed", outdate);
