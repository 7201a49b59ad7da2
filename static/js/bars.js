// How high the bars are that lie over the end of the page: what has the focus is scrolled clear of them (base.css), and the bar of a form
// stands on that of the navigation (field.css). Both grow with the reader's text and with what they hold. And how high the panel is that
// stays in sight beside a form: one that is higher than the window stops at its end, not at its beginning (page.css).
const root = document.documentElement;
const measured = new ResizeObserver(measure);

function measure() {
  const [bar, foot] = [".bar", ".form-foot[data-sticky]"].map((each) => document.querySelector(each)?.getBoundingClientRect().height ?? 0);
  root.style.setProperty("--bar", `${Math.floor(bar)}px`); // they overlap by a part of a pixel: between them nothing would shine through
  root.style.setProperty("--bars", `${Math.ceil(bar + foot)}px`);
  for (const panel of document.querySelectorAll(".sticky")) panel.style.setProperty("--high", `${panel.offsetHeight}px`);
}

function watch() {
  measured.disconnect();
  for (const each of document.querySelectorAll(".bar, .form-foot[data-sticky], .sticky")) measured.observe(each);
  measure();
}

watch();
document.body.addEventListener("htmx:afterSettle", watch);
