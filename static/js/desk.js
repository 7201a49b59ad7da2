// The translation desk: chips say what a translation still lacks and put it in; keys go from text to text.
const desk = document.querySelector("[data-desk]");

if (desk) {
  const fields = () => [...desk.querySelectorAll("[data-unit] textarea")];
  const plain = (text) => text.replace(/\s+/g, "").replace(/"[^"]*"|'[^']*'/g, "_");
  // A link's chip is its closing: "[…](https://…)" is there once "](https://…)" is; words within an expression may differ.
  const needed = (chip) => plain(chip.dataset.insert.replace(/^\[…/, ""));

  const look = (unit) => {
    const said = plain(unit.querySelector("textarea").value);
    for (const chip of unit.querySelectorAll("[data-insert]")) {
      const used = said.includes(needed(chip));
      chip.toggleAttribute("data-used", used);
      chip.querySelector("use")?.setAttribute("href", chip.querySelector("use").getAttribute("href").replace(/#.*/, used ? "#circle-check" : "#circle-dashed"));
      chip.setAttribute("aria-label", `${chip.innerText.trim()}: ${used ? "is in the translation" : "must be in the translation; press to put it in"}`);
    }
  };
  const go = (field) => {
    if (!field) return;
    field.focus();
    field.closest("[data-unit]").scrollIntoView({ block: "center" });
  };
  const unfinished = (field) => {
    const unit = field.closest("[data-unit]");
    return !field.value.trim() || unit.dataset.status === "stale" || unit.hasAttribute("data-fault") || unit.querySelector("[data-insert]:not([data-used])") !== null;
  };

  for (const unit of desk.querySelectorAll("[data-unit]")) look(unit);
  desk.addEventListener("input", (event) => {
    const unit = event.target.closest("[data-unit]");
    if (unit && event.target.matches("textarea")) {
      if (event.target.matches("[data-line]") && event.target.value.includes("\n")) event.target.value = event.target.value.replace(/\s*\n\s*/g, " ");
      look(unit);
    }
  });
  desk.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-insert]");
    if (!chip) return;
    const field = chip.closest("[data-unit]").querySelector("textarea");
    field.focus();
    const chosen = field.value.slice(field.selectionStart, field.selectionEnd);
    const text = chip.dataset.insert.startsWith("[…") ? chip.dataset.insert.replace("…", () => chosen || "…") : chip.dataset.insert;
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  desk.addEventListener("keydown", (event) => {
    if (!event.target.matches("[data-unit] textarea")) return;
    const all = fields();
    const at = all.indexOf(event.target);
    if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      go(all[at + (event.key === "ArrowDown" ? 1 : -1)]);
    } else if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      event.preventDefault();
      go([...all.slice(at + 1), ...all.slice(0, at)].find(unfinished));
    }
  });
  go(desk.querySelector("[data-fault] textarea"));
}
