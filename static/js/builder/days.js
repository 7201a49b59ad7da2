// A calendar for fields that take a day or an instant: it writes the day into the text. And both numbers of a place, pasted at once.
const dress = (field) => {
  if (field.dataset.dressed || field.matches(":disabled")) return;
  field.dataset.dressed = "1";
  const day = document.createElement("input");
  day.type = "date";
  day.className = "day-picker";
  day.setAttribute("aria-label", `${field.getAttribute("aria-label")}, from a calendar`);
  day.value = field.value.slice(0, 10);
  day.addEventListener("input", (event) => event.stopPropagation());
  day.addEventListener("change", () => {
    field.value = day.value + (field.value.length > 10 ? field.value.slice(10) : "");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  field.after(day);
};

document.addEventListener("paste", (event) => {
  const latitude = event.target.closest?.('#editor input[name$="/lat"]');
  const [, north, east] = event.clipboardData?.getData("text").match(/^\s*(-?\d+(?:\.\d+)?)\s*[,;\s]\s*(-?\d+(?:\.\d+)?)\s*$/) ?? [];
  if (!latitude || !east) return;
  event.preventDefault();
  const longitude = latitude.form.elements.namedItem(latitude.name.replace(/lat$/, "lon"));
  for (const [field, value] of [[latitude, north], [longitude, east]]) {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
});

const dressAll = () => document.querySelectorAll("#editor input[data-day]").forEach(dress);
document.body.addEventListener("htmx:afterSettle", (event) => event.detail.elt.id === "editor" && dressAll());
dressAll();
