// Fetches what a page's twin wants drawn, and keeps a live page fresh.

import { again, charts, coloured, draw } from "/static/charts.js";

const said = document.body.dataset;
const page = said.page;
const drawing = document.querySelector("[data-chart]") !== null;
const twin = () => {
  const url = new URL(location.href);
  url.pathname = (url.pathname === "/" ? "/runs" : url.pathname) + ".json";
  return url;
};

async function fetched(url, as = "json") {
  try {
    const answer = await fetch(url);
    if (answer.ok) return await answer[as]();
  } catch { /* the server is gone; said below */ }
  const notice = document.getElementById("notice");
  notice.textContent = said.stale;
  notice.hidden = false;
  return null;
}

const drawTwin = async () => {
  const found = await fetched(twin());
  if (!found) return;
  draw(found.charts, zoomable);
  if (page === "projector") (await import("/static/projector.js")).listen(found.samples, [...charts.values()]);
};

function zoomable(place, chart) {
  if (page === "run" && place.dataset.chart.startsWith("curve")) chart.on("datazoom", ({ batch }) => closer(place, chart, batch?.[0]));
}

// A stretch that was chosen is fetched as finely as it was recorded.
async function closer(place, chart, chosen) {
  if (chosen?.startValue === undefined) return again(); // one step back from the first choice: all of it
  const url = twin();
  url.searchParams.set("from", Math.max(0, Math.floor(chosen.startValue)));
  url.searchParams.set("to", Math.ceil(chosen.endValue));
  url.searchParams.set("only", place.dataset.chart);
  const found = await fetched(url);
  const option = found?.charts[place.dataset.chart];
  if (option) chart.setOption({ series: coloured(option.series).map(({ name, data }) => ({ name, data })) });
}

async function refresh() {
  const text = await fetched(location.href, "text");
  if (!text) return;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const chosen = new Set([...document.querySelectorAll("input[name=at]:checked")].map((box) => box.value));
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (now && now.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) part.replaceChildren(...now.childNodes);
  }
  for (const box of document.querySelectorAll("input[name=at]")) box.checked = chosen.has(box.value);
  if (drawing) await drawTwin();
}

if (drawing) drawTwin();
// What takes seconds to make for the first time is shown when it is there.
if (document.querySelector("[data-waiting]")) fetched(twin()).then((found) => found && location.reload());

const at = new URLSearchParams(location.search).get("at");
const moving = document.querySelector(".state.live") || page === "runs";
if (moving && (page === "run" || page === "runs")) {
  let stream, busy = false;
  const listen = () => {
    stream = new EventSource("/events" + (page === "run" && at ? `?${new URLSearchParams({ at })}` : ""));
    stream.onmessage = async () => {
      if (busy) return;
      busy = true;
      await refresh();
      busy = false;
    };
  };
  // A browser opens six connections to a server at most: a tab that nobody looks at must not hold one.
  document.addEventListener("visibilitychange", () => {
    stream.close();
    if (document.hidden) return;
    refresh();
    listen();
  });
  addEventListener("pagehide", () => stream.close());
  listen();
}
