// ? shows the keys, / and Ctrl-K search, g and a letter go somewhere, j and k walk a list, 1 to 5 are the document's tabs.
import { openDialog } from "./dialogs.js";

const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]") !== null && target.closest?.("input, textarea, select, [contenteditable]") !== undefined;
let going = 0;

function rows() {
  return [...document.querySelectorAll("[data-rows] tbody tr > th a, [data-rows] > li a[data-row]")].filter((link) => link.offsetParent !== null);
}

function walk(step) {
  const links = rows();
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + step))];
  next.focus({ focusVisible: true });
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function openPalette() {
  openDialog("palette");
  const input = document.getElementById("palette-input");
  input?.select();
  input?.dispatchEvent(new Event("palette-open"));
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-palette-open]") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  openPalette();
});

document.addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (command && event.key.toLowerCase() === "s") {
    const form = document.querySelector("form[data-document]");
    if (form) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-save]"));
    }
    return;
  }
  if (command || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (Date.now() - going < 1200) {
    going = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      location.assign(link.href);
      return;
    }
  }
  if (event.key === "g") going = Date.now();
  else if (event.key === "/") openPalette();
  else if (event.key === "?") openDialog("shortcuts");
  else if (event.key === "j" || event.key === "k") {
    if (!walk(event.key === "j" ? 1 : -1)) return;
  } else if (/^[1-5]$/.test(event.key)) {
    const tab = document.querySelectorAll("nav[data-document-tabs] .tab")[Number(event.key) - 1];
    if (!tab) return;
    location.assign(tab.href);
  } else return;
  event.preventDefault();
});
