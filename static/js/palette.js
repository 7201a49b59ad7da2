// The command palette: the server finds, this moves through what it found.
const dialog = document.getElementById("palette");
const input = document.getElementById("palette-input");
const results = document.getElementById("palette-results");

const items = () => [...results.querySelectorAll("[role=option]")];

function select(item) {
  for (const other of items()) other.setAttribute("aria-selected", String(other === item));
  if (item) {
    input.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-activedescendant");
}

if (dialog && input && results) {
  let go = false; // Enter was pressed before the answer to what is typed was there
  const words = (text) => text.split(/\s+/).filter(Boolean).join(" ");
  const answered = () => results.querySelector("[data-answer]")?.dataset.answer === words(input.value);
  input.addEventListener("input", () => (go = false));
  results.addEventListener("htmx:afterSwap", () => {
    select(items()[0]);
    if (go && answered()) items()[0]?.click();
  });
  input.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.findIndex((item) => item.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") select(all[(at + 1) % all.length]);
    else if (event.key === "ArrowUp") select(all[(at - 1 + all.length) % all.length]);
    else if (event.key === "Enter" && !answered()) go = true;
    else if (event.key === "Enter" && all[at]) all[at].click();
    else return;
    event.preventDefault();
  });
}
