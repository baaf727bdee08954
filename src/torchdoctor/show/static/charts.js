// Hands ECharts the options that Python made (torchdoctor/show/charts), in the colours of the style sheet.
// There is no chart code here. Pages of the board use it, and reports that open from disk.

const said = document.body.dataset;
const charts = new Map(); // place -> chart
let drawn = {};

// What the style sheet makes of a name, by day or by night: a name may stand for two colours.
const probe = document.body.appendChild(Object.assign(document.createElement("i"), { hidden: true }));
function colour(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

// "$error" becomes that colour.
function coloured(value) {
  if (typeof value === "string") return value[0] === "$" ? colour(value.slice(1)) : value;
  if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map(coloured);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v)]));
  return value;
}

// 0.001 and 12,000 as they are, 1e8 short.
function short(value) {
  const size = Math.abs(value);
  return size && (size >= 1e6 || size < 1e-4) ? value.toExponential(1).replace(".0", "").replace("+", "") : value.toLocaleString("en", { maximumSignificantDigits: 6 });
}
const numbered = (axis) => ["value", "log"].includes(axis.type) && { formatter: short };

// What all charts have in common.
function dressed(option) {
  const heat = Boolean(option.visualMap), rows = option.yAxis.type === "category", square = Boolean(option.square);
  const marked = option.series.some((s) => s.markLine?.data.length) && !square;
  const text = colour("text"), quiet = colour("quiet"), line = colour("line");
  const axis = { nameTextStyle: { color: quiet }, axisLabel: { color: quiet, hideOverlap: true }, axisLine: { lineStyle: { color: line } }, splitLine: { show: !rows, lineStyle: { color: line } } };
  const names = rows ? { width: Math.min(heat ? 150 : 300, innerWidth * 0.28), overflow: "truncate", interval: "auto" } : {};
  const upright = option.yAxis.name ? { nameLocation: "middle", nameGap: 40 } : {};
  const zoom = { dataZoom: { yAxisIndex: "none", title: { zoom: said.zoom, back: said.back } }, restore: { title: said.reset } };
  const legend = option.legend?.show ? 46 : marked ? 46 : 28;
  return {
    animation: false,
    backgroundColor: "transparent",
    color: ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"].map(colour),
    textStyle: { color: text, fontFamily: "system-ui, sans-serif" },
    grid: { left: option.yAxis.name ? 40 : rows ? 24 : 14, right: 20, top: heat || rows ? 8 : square && !option.legend?.show ? 14 : legend, bottom: heat ? 52 : 30, containLabel: true },
    toolbox: rows || square ? { show: false } : { right: 0, top: -6, itemSize: 13, iconStyle: { borderColor: quiet }, feature: zoom, emphasis: { iconStyle: { borderColor: colour("info"), textPosition: "left" } } },
    ...option,
    aria: { enabled: false },
    legend: { type: "scroll", icon: "roundRect", itemWidth: 14, itemHeight: 4, top: 0, left: 0, right: square ? 0 : 70, textStyle: { color: text }, pageTextStyle: { color: quiet }, ...option.legend },
    tooltip: { trigger: heat || square ? "item" : "axis", renderMode: "richText", confine: true, backgroundColor: colour("card"), borderColor: line, textStyle: { color: text, fontSize: 12 }, ...option.tooltip },
    xAxis: { ...axis, nameLocation: "middle", nameGap: 24, ...option.xAxis, axisLabel: { ...axis.axisLabel, ...numbered(option.xAxis), ...option.xAxis.axisLabel } },
    yAxis: { ...axis, ...upright, ...option.yAxis, axisLabel: { ...axis.axisLabel, ...names, ...numbered(option.yAxis), ...option.yAxis.axisLabel } },
    ...(heat && { visualMap: coloured(option.visualMap).map((v) => ({ type: "continuous", orient: "horizontal", left: "center", bottom: 0, itemHeight: 130, itemWidth: 12, textStyle: { color: quiet }, ...v })) }),
    series: coloured(option.series).map((s) => ({ lineStyle: { width: s.data.length > 500 ? 1 : 1.6 }, symbolSize: 5, emphasis: { disabled: true }, ...s,
      ...(s.markLine && { markLine: { animation: false, ...s.markLine, label: { color: text, fontSize: 11, position: "insideEndTop", rotate: 0, align: "left", ...s.markLine.label }, lineStyle: { type: "dashed", width: 1.4, ...s.markLine.lineStyle } } }) })),
  };
}

// Draws each option at its place; `made` is told of every new chart.
export function draw(options, made = () => {}) {
  drawn = options;
  for (const place of document.querySelectorAll("[data-chart]")) {
    const option = options[place.dataset.chart];
    if (!option) continue;
    if (option.rows) place.style.height = `${Math.max(10, 5.5 + option.rows * 1.15)}rem`;
    let chart = charts.get(place);
    if (!chart) {
      const label = place.getAttribute("aria-label");
      charts.set(place, (chart = echarts.init(place, null, { renderer: "canvas" })));
      place.setAttribute("aria-label", label); // ECharts puts its own there; ours says what the curves do
      chart.on("restore", () => chart.setOption(dressed(drawn[place.dataset.chart]), true));
      made(place, chart);
    }
    chart.setOption(dressed(option), true);
    place.dataset.drawn = "yes";
  }
}

export const again = () => draw(drawn);
export { charts, coloured };

addEventListener("theme", again);
let waiting;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => charts.forEach((chart) => chart.resize()), 100);
});
// A place inside what was folded away had no size when it was drawn.
addEventListener("toggle", () => charts.forEach((chart) => chart.resize()), true);
