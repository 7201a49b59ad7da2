// data-copy="text" puts the text on the clipboard and says so.
import { say } from "./toasts.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    say("Copied.", "success");
  } catch {
    say("Copying isn’t allowed here; select the text instead.", "warning");
  }
});
