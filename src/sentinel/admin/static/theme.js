// Runs before the page is painted, so that a dark page never flashes light. The choice stays in this browser.
(() => {
  const stored = localStorage.getItem("sentinel-theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (theme) => { document.documentElement.dataset.bsTheme = theme; };
  apply(stored ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => {
    if (!localStorage.getItem("sentinel-theme")) apply(dark.matches ? "dark" : "light");
  });
})();
