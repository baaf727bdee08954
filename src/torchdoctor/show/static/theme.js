// By day or by night, as chosen on a page before. Read before anything is painted, so that nothing flashes.
try {
  document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "";
} catch { /* a page from disk may have no storage */ }
