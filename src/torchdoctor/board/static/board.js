// Hands ECharts the options that a page's twin holds, in the colours of the style sheet, and keeps a live page fresh.
// What is drawn is decided on the server (torchdoctor/board/charts.py); there is no chart code here.

const twin = () => {
  const url = new URL(location.href);
  url.pathname = (url.pathname === "/" ? "/runs" : url.pathname) + ".json";
  return url;
};
const dark = matchMedia("(prefers-color-scheme: dark)");
const places = [...document.querySelectorAll("[data-chart]")];
const charts = new Map();
let drawn = {};

const said = document.body.dataset;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// "$error" becomes that colour of the style sheet.
function coloured(value) {
  if (typeof value === "string") return value[0] === "$" ? colour(value.slice(1)) : value;
  if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map(coloured);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v)]));
  return value;
}

// What all charts have in common.
function dressed(option, name) {
  const heat = Boolean(option.visualMap), rows = option.yAxis.type === "category";
  const marked = option.series.some((s) => s.markLine?.data.length);
  const text = colour("text"), quiet = colour("quiet"), line = colour("line");
  const axis = { nameTextStyle: { color: quiet }, axisLabel: { color: quiet, hideOverlap: true }, axisLine: { lineStyle: { color: line } }, splitLine: { show: !rows, lineStyle: { color: line } } };
  const names = rows ? { axisLabel: { color: quiet, width: Math.min(heat ? 150 : 300, innerWidth * 0.28), overflow: "truncate", interval: "auto" } } : {};
  return {
    animation: false,
    backgroundColor: "transparent",
    color: ["c0", "c1", "c2", "c3", "error", "good", "warning", "quiet"].map(colour),
    textStyle: { color: text, fontFamily: "system-ui, sans-serif" },
    grid: { left: rows ? 24 : 14, right: 20, top: heat || rows ? 8 : option.legend?.show || marked ? 46 : 28, bottom: heat ? 52 : 30, containLabel: true },
    toolbox: rows ? { show: false } : { right: 0, top: -6, itemSize: 13, iconStyle: { borderColor: quiet }, feature: { dataZoom: { yAxisIndex: "none", title: { zoom: said.zoom, back: said.back } }, restore: { title: said.reset } }, emphasis: { iconStyle: { borderColor: colour("info"), textPosition: "left" } } },
    ...option,
    aria: { enabled: false },
    legend: { type: "scroll", icon: "roundRect", itemWidth: 14, itemHeight: 4, top: 0, left: 0, right: 70, textStyle: { color: text }, pageTextStyle: { color: quiet }, ...option.legend },
    tooltip: { trigger: heat ? "item" : "axis", renderMode: "richText", confine: true, backgroundColor: colour("card"), borderColor: line, textStyle: { color: text, fontSize: 12 }, ...option.tooltip },
    xAxis: { ...axis, nameLocation: "middle", nameGap: 24, ...option.xAxis },
    yAxis: { ...axis, ...names, ...option.yAxis },
    ...(heat && { visualMap: coloured(option.visualMap).map((v) => ({ type: "continuous", orient: "horizontal", left: "center", bottom: 0, itemHeight: 130, itemWidth: 12, textStyle: { color: quiet }, ...v })) }),
    series: coloured(option.series).map((s) => ({ lineStyle: { width: s.data.length > 500 ? 1 : 1.6 }, symbolSize: 5, emphasis: { disabled: true }, ...s,
      ...(s.markLine && { markLine: { animation: false, ...s.markLine, label: { color: text, fontSize: 11, position: "insideEndTop", rotate: 0, align: "left", ...s.markLine.label }, lineStyle: { type: "dashed", width: 1.4, ...s.markLine.lineStyle } } }) })),
  };
}

function draw(options) {
  drawn = options;
  for (const place of places) {
    const option = options[place.dataset.chart];
    if (!option) continue;
    if (option.rows) place.style.height = `${Math.max(10, 5.5 + option.rows * 1.15)}rem`;
    let chart = charts.get(place);
    if (!chart) {
      charts.set(place, (chart = echarts.init(place, null, { renderer: "canvas" })));
      // Set again by the library for a description of its own; ours says what the curves do.
      place.setAttribute("aria-label", place.getAttribute("aria-label"));
      chart.on("datazoom", ({ batch }) => closer(place, chart, batch?.[0]));
      chart.on("restore", () => chart.setOption(dressed(drawn[place.dataset.chart]), true));
    }
    if (!place.dataset.zoomed) chart.setOption(dressed(option), true);
    place.dataset.drawn = "yes";
  }
}

// A stretch that was chosen is fetched as finely as it was recorded.
async function closer(place, chart, chosen) {
  if (document.body.dataset.page !== "run" || !place.dataset.chart.startsWith("curve")) return;
  if (chosen?.startValue === undefined) return draw(drawn); // one step back from the first choice: all again
  const url = twin();
  url.searchParams.set("from", Math.max(0, Math.floor(chosen.startValue)));
  url.searchParams.set("to", Math.ceil(chosen.endValue));
  url.searchParams.set("only", place.dataset.chart);
  const found = await fetched(url);
  const option = found?.charts[place.dataset.chart];
  if (option) chart.setOption({ series: coloured(option.series).map(({ name, data }) => ({ name, data })) });
}

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
  if (places.length) draw((await fetched(twin()))?.charts ?? drawn);
}

if (places.length) fetched(twin()).then((found) => found && draw(found.charts));
dark.addEventListener("change", () => draw(drawn));
let waiting;
addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => { for (const chart of charts.values()) chart.resize(); }, 100); });

const at = new URLSearchParams(location.search).get("at");
const page = document.body.dataset.page;
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
