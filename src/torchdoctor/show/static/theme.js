// By day or by night, as chosen on a page before. Read before anything is painted, so that nothing flashes. Whoever draws
// in colours of its own hears of every change by the event "theme".
{
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const night = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const pressed = () => document.getElementById("theme")?.setAttribute("aria-pressed", night());
  const changed = () => {
    pressed();
    dispatchEvent(new Event("theme"));
  };
  try {
    root.dataset.theme = localStorage.getItem("theme") ?? "";
  } catch { /* a page from disk may have no storage */ }
  document.addEventListener("DOMContentLoaded", pressed);
  document.addEventListener("click", ({ target }) => {
    if (!target.closest("#theme")) return;
    root.dataset.theme = night() ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch { /* it is forgotten with the page */ }
    changed();
  });
  dark.addEventListener("change", changed);
}
