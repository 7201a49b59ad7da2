// What isn't finished is named beside the rule: its link goes to the field that lacks something.
const FIELDS = "input:not([type=hidden]), select, textarea, button";

/** The field to go to in what a link names: the first that is empty, if it stands for several. */
function fieldOf(named) {
  const group = named.value ? named.closest(".rule-pair") : named;
  const inside = [...(group?.querySelectorAll("input:not([type=hidden])") ?? [])].find((field) => field.value === "");
  return inside ?? (named.matches(FIELDS) ? named : named.querySelector(FIELDS)) ?? named;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-finish]");
  const named = link && (document.getElementById(link.hash.slice(1)) ?? document.getElementById(link.dataset.finish));
  if (!named) return;
  event.preventDefault();
  const field = fieldOf(named);
  field.focus({ focusVisible: true, preventScroll: true });
  field.scrollIntoView({ block: "center" });
});
