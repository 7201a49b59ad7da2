// The count once more in the bar that saves: where the window is narrow, the panel that counts is out of sight while the rule is edited.
function draw() {
  const link = document.querySelector("[data-count-of]");
  if (!link) return;
  const counted = document.querySelector(`#${link.dataset.countOf} [data-short]`);
  link.textContent = counted?.dataset.short ?? "";
  link.hidden = !counted;
  link.toggleAttribute("data-before", Boolean(counted?.matches("[data-before]")));
}
document.body.addEventListener("htmx:afterSettle", draw);
draw();
